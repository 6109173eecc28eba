"""The benchmark: how fast a model plays on this machine, ours beside the reference implementation."""
