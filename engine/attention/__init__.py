"""Softmax attention by whichever kernel is fastest here: the kernels, their choice, and attention over parts."""
