"""Drawn clips: what one looks like, and its frames over any span of time. Training data that needs no videos."""
