"""Keeps whoever orders denoising steps near the device that makes them, so that news between steps come in time.

A GPU takes orders long before it carries them out: without this all steps would be ordered within milliseconds, and
nothing that a hand does later could change them. One step is always ordered ahead, so the device never stands still.
"""

from __future__ import annotations

import torch


class StepPace:
    """For one chunk. Used by the generator's thread."""

    def __init__(self, device: torch.device) -> None:
        self._is_cuda = device.type == "cuda"
        self._before: torch.cuda.Event | None = None  # the end of the step before the one ordered last

    def wait(self) -> None:
        """After a step was ordered: wait until the one before it is done. Returns at once on a CPU."""
        if not self._is_cuda:
            return
        ordered = torch.cuda.Event(blocking=True)
        ordered.record()
        if self._before is not None:
            self._before.synchronize()
        self._before = ordered
