"""Processes of ours beside the panels: how they are started, talked to, kept going, asked, and logged."""
