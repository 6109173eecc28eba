"""The frames of a chunk that guide: control video, what stays of the input, first and last pictures, and their mask.

Knows nothing of encoders, parameters or books.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.vae.latents import FRAMES_PER_LATENT


@dataclass(frozen=True)
class ControlFrames:
    """A control input of a chunk, values in [-1, 1]."""

    picture: Tensor  # (1, T, 3, H, W): the input itself, which stays where the mask is False
    control: Tensor  # (1, T, 3, H, W): what was made of it, which guides where the mask is True
    mask: np.ndarray  # (T, H, W) bool, True = paint
    strength: float  # 1 = fresh or held; less as an input that has gone is faded out

    def faded(self) -> ControlFrames:
        """The same frames on their way to mid grey, which is no control at all, at full strength."""
        if self.strength == 1.0:
            return self
        picture, control = self.picture * self.strength, self.control * self.strength
        return dataclasses.replace(self, picture=picture, control=control, strength=1.0)


@dataclass(frozen=True)
class GuidingFrames:
    """What both streams of a chunk are encoded from, (1, T, 3, H, W) in [-1, 1]; None = mid grey all over."""

    inactive: Tensor | None
    reactive: Tensor | None
    mask: np.ndarray  # (T, H, W) bool, True = paint


def split(kept: Tensor, painted: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Inactive and reactive frames (1, T, 3, H, W): `kept` where the mask (T, H, W) is False, `painted` where True.

    Mid grey, 0, elsewhere.
    """
    inside = mask[None, :, None]
    return kept.masked_fill(inside, 0.0), painted.masked_fill(~inside, 0.0)


def guiding_frames(
    control: ControlFrames | None, first: Tensor | None, last: Tensor | None, blank: Tensor, *, is_start: bool
) -> GuidingFrames:
    """Put them together. `first` and `last` are pictures (3, H, W) that the chunk begins or ends with.

    Such a picture stands for one latent frame, and its mask is False: 4 frames, or the single first one of a stream.
    In a chunk of one latent frame it is all there is, and the last picture wins. `blank` (1, T, 3, H, W) is mid grey.
    """
    frames, (height, width) = blank.shape[1], blank.shape[-2:]
    mask = np.ones((frames, height, width), bool) if control is None else control.mask.copy()
    has_control = control is not None and bool(mask.any())
    if control is None and first is None and last is None:
        return GuidingFrames(None, None, mask)
    kept = blank.clone() if control is None else control.picture.clone()
    begin = slice(0, 1 if is_start else FRAMES_PER_LATENT)
    end = slice(frames - FRAMES_PER_LATENT if frames > FRAMES_PER_LATENT else 0, frames)
    for picture, place in ((first, begin), (last, end)):
        if picture is not None:
            kept[:, place], mask[place] = picture, False
    inside = torch.from_numpy(mask).to(blank.device)
    inactive, reactive = split(kept, blank if control is None else control.control, inside)
    return GuidingFrames(None if mask.all() else inactive, reactive if has_control else None, mask)
