"""Data and memory of stage `vace`: drawn clips with what guides them. Knows nothing of losses or optimisers."""
