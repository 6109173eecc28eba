"""syphon-python as published: what a server has of it."""

from __future__ import annotations

import sys

import numpy as np

from syphon import textures

for name in ("", ".raw", ".numpy"):
    sys.modules[f"syphon.utils{name}"] = textures

received: list[np.ndarray] = []
events: list[tuple[str, str]] = []
fails: list[str] = []
turns: list[float] = []  # of the run loop


class SyphonMetalServer:
    """As the library's class."""

    def __init__(self, name: str, device: object | None = None, command_queue: object | None = None) -> None:
        self.name, self.device = name, device or "the system's device"
        events.append(("name", name))

    def publish_frame_texture(
        self, texture, region=None, size=None, is_flipped: bool = False, command_buffer=None, auto_commit: bool = True
    ) -> None:
        assert is_flipped, "the first row is the top one"
        received.append(texture.pixels[..., [2, 1, 0, 3]])

    @property
    def has_clients(self) -> bool:
        return True

    def stop(self) -> None:
        events.append(("released", self.name))


class SyphonServerDirectory:
    """As the library's class."""

    def __init__(self) -> None:
        self.run_loop_interval = 1.0

    def update_run_loop(self) -> None:
        turns.append(self.run_loop_interval)
