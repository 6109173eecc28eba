"""Where a family is looked at from: coordinates of every pixel after mirrors and camera. Knows nothing of families."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Camera:
    """Per frame, each (T, 1, 1) or (1, 1, 1): picture heights per frame height, radians (or None), shift in heights."""

    scale: Tensor
    angle: Tensor | None
    shift_x: Tensor
    shift_y: Tensor


@dataclass(frozen=True)
class View:
    """Coordinates in frame heights with the centre at 0, y downward, and `t` (T, 1, 1) in seconds.

    `x` and `y` broadcast to (T, H, W), and are thin where the camera does not turn. `columns` (1, 1, W) and
    `rows` (1, H, 1) are those of the frame, mirrors included.
    """

    x: Tensor
    y: Tensor
    t: Tensor
    columns: Tensor
    rows: Tensor
    camera: Camera

    def splat(self, cx: Tensor, cy: Tensor, width: Tensor, height: Tensor, weight: Tensor) -> Tensor:
        """Sum round or upright Gaussians at (cx, cy), all (T or 1, N) in heights; return (T, H, W).

        Columns and rows are exponentiated apart and multiplied as matrices: N costs next to nothing. Under a
        camera that turns, only round ones are right.
        """
        camera = self.camera
        scale = camera.scale[:, 0]
        u, v = cx - camera.shift_x[:, 0], cy - camera.shift_y[:, 0]
        if camera.angle is not None:
            cos, sin = torch.cos(camera.angle[:, 0]), torch.sin(camera.angle[:, 0])
            u, v = cos * u + sin * v, cos * v - sin * u
        across = self._bumps(self.columns[:, 0], u / scale, width / scale)
        down = self._bumps(self.rows[..., 0], v / scale, height / scale) * weight[..., None]
        return down.expand(len(self.t), -1, -1).transpose(1, 2) @ across.expand(len(self.t), -1, -1)

    @staticmethod
    def _bumps(line: Tensor, centres: Tensor, sizes: Tensor) -> Tensor:
        """Gaussians along one line (1, L): (T, N, L)."""
        return torch.exp(-(((line[:, None] - centres[..., None]) / sizes[..., None]) ** 2))


def look(columns: Tensor, rows: Tensor, t: Tensor, camera: Camera) -> View:
    """Turn the frame's columns (1, 1, W) and rows (1, H, 1) into what the camera shows."""
    x, y = camera.scale * columns, camera.scale * rows
    if camera.angle is not None:
        cos, sin = torch.cos(camera.angle), torch.sin(camera.angle)
        x, y = cos * x - sin * y, sin * x + cos * y
    return View(x + camera.shift_x, y + camera.shift_y, t, columns, rows, camera)


def still_camera(like: Tensor) -> Camera:
    """Return a camera that shows the frame's own coordinates, on the device of `like`."""
    one = torch.ones(1, 1, 1, device=like.device, dtype=like.dtype)
    return Camera(one, None, 0.0 * one, 0.0 * one)
