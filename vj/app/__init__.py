"""The performer's window and the wiring of the program: the one place that knows panels, engine and output at once."""
