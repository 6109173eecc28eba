"""Which latent frames a cache holds: the sink, the window that rolls, the chunk being made. Whole numbers only.

Knows nothing of keys, values or devices.
"""

from __future__ import annotations

from engine.model.config import ModelConfig


class Window:
    """Counts slots (0..window - 1). Groups of `sink_frames` leave it whole. Belongs to its cache's thread."""

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        self.filled_frames = 0  # slots in use, the current chunk included
        self.current_frames = 0  # latent frames of the chunk being made
        self.frames_seen = 0  # since the last reset

    @property
    def at_group_boundary(self) -> bool:
        """Whether the frames held are whole groups of sink length: only then may the chunk size change."""
        return self.filled_frames % self.config.sink_frames == 0

    @property
    def first_slot(self) -> int:
        """Slot of the current chunk's first latent frame; never above window - 1."""
        return self.filled_frames - self.current_frames

    def reset(self) -> None:
        """Forget everything (hard cut). Old contents stay in memory and are never read."""
        self.filled_frames = self.current_frames = self.frames_seen = 0

    def enter_chunk(self, frames: int) -> None:
        """Stand at a chunk for which there is room."""
        self.filled_frames += frames
        self.current_frames = frames
        self.frames_seen += frames

    def abandon_chunk(self) -> None:
        """Take back `enter_chunk`: only the chunk's own slots were written since. What left the window stays fused."""
        self.filled_frames -= self.current_frames
        self.frames_seen -= self.current_frames
        self.current_frames = 0

    def check_chunk(self, frames: int) -> None:
        """Raise ValueError with a sentence when a chunk of `frames` would break a group in two."""
        self.config.check_chunk(frames)
        group = self.config.sink_frames
        if self.filled_frames % min(frames, group):
            raise ValueError(
                f"a chunk of {frames} cannot start {self.filled_frames % group} frames into a group of "
                f"{group}: wait for the group boundary"
            )

    def length(self, frames: int, wanted: int | None) -> int:
        """Frames held for a chunk of `frames`: the model's own, or `wanted`, no less than sink and chunk."""
        own = self.config.window_frames
        return own if wanted is None else min(own, max(wanted, self.config.sink_frames + frames))
