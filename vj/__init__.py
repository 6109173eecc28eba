"""The instrument: window, controllers and outputs around the generator's process. Never imports torch."""
