"""Runs over 60 seconds: each writes its figures with commit and duration; its short form is in the suite."""

from __future__ import annotations


class JudgedError(AssertionError):
    """What was measured is not good enough; the figures are kept all the same."""

    def __init__(self, why: str, figures: dict) -> None:
        super().__init__(why)
        self.figures = figures
