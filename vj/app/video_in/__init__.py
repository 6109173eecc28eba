"""Panels of the pictures from outside: the inputs, what the model makes of them, references and masks."""
