"""Fused kernels of the transformer and the choice of them. Every kernel has its plain form here: the oracle."""
