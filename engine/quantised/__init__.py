"""Ways to compute the transformer with narrower numbers. None is exact; each is a switch, off unless asked for."""
