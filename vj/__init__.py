"""The instrument: windows, controllers, outputs. Never imports torch; knows the engine by its tables and messages."""
