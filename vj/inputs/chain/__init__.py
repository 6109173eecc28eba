"""What happens to an input's picture between its source and everyone who reads it: one small module per stage."""
