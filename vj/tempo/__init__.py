"""Beats: the clock all of the instrument counts by, and what sets it."""
