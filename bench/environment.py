"""Where a figure was measured: device, versions, commit. Every result file carries it."""

from engine.benchmark.environment import ROOT, commit, describe

__all__ = ["ROOT", "commit", "describe"]
