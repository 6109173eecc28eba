"""Looks, cues, timelines and shows: what a performer saves and calls up again."""
