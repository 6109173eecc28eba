"""A small network that names the family and the palette of a picture in motion, for judging what a model has learnt.

It is trained on clips of its own, with other palettes and another seed (classifier_training.py), and is never a reward.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from engine.ember.weights import read_weights, write_weights
from engine.training.clips.families import FAMILIES
from engine.training.clips.palettes import PALETTES

KIND = "family_classifier"
SHIPPED = Path(__file__).parent / "classifier.safetensors"
SIZE = (54, 96)  # height and width it looks at
LOOKED_AT = (0, 3, 6)  # frames of a window, at 16 a second
WINDOW_FRAMES = LOOKED_AT[-1] + 1
EVERY_FRAMES = 4  # from window to window
WIDTHS = (24, 48, 80, 112)
BATCH = 64


class FamilyClassifier(nn.Module):
    """Three frames (B, 9, 54, 96) in 0..1 to logits of families and of palettes."""

    def __init__(self, families: int = len(FAMILIES), palettes: int = len(PALETTES)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        last = 3 * len(LOOKED_AT)
        for width in WIDTHS:
            layers += [nn.Conv2d(last, width, 3, 2, 1), nn.GroupNorm(8, width), nn.SiLU()]
            layers += [nn.Conv2d(width, width, 3, 1, 1), nn.GroupNorm(8, width), nn.SiLU()]
            last = width
        self.features = nn.Sequential(*layers)
        self.family = nn.Linear(2 * last, families)
        self.palette = nn.Sequential(nn.Linear(2 * last + COLOURS, 64), nn.SiLU(), nn.Linear(64, palettes))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of families (B, families) and of palettes (B, palettes)."""
        maps = self.features(pictures * 2.0 - 1.0)
        pooled = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)
        return self.family(pooled), self.palette(torch.cat([pooled, colour_shares(pictures[:, :3])], 1))


COLOURS = 5**3


def colour_shares(pictures: Tensor) -> Tensor:
    """Shares of 125 kinds of colour in pictures (B, 3, H, W) in 0..1, softly counted: (B, 125), square roots of shares.

    What a palette is lies in the colours and not in where they are.
    """
    levels = torch.linspace(0.0, 1.0, 5, device=pictures.device, dtype=pictures.dtype)
    small = functional.avg_pool2d(pictures, 2)
    red, green, blue = (1.0 - 4.0 * (small.flatten(2)[:, :, :, None] - levels).abs()).clamp(min=0.0).unbind(1)
    pairs = (red[..., :, None] * green[..., None, :]).flatten(2)
    return torch.einsum("bnp,bnc->bpc", pairs, blue).flatten(1).div(small[0, 0].numel()).clamp(min=1e-8).sqrt()


def windows_of(frames: Tensor) -> Tensor:
    """Cut a stream (T, 3, H, W) in 0..1 into what the network looks at: (windows, 9, 54, 96).

    Raises ValueError for fewer than seven frames.
    """
    if len(frames) < WINDOW_FRAMES:
        raise ValueError(f"{len(frames)} frames are too few to name a picture: {WINDOW_FRAMES} are needed")
    small = functional.interpolate(frames, SIZE, mode="area")
    starts = range(0, len(frames) - WINDOW_FRAMES + 1, EVERY_FRAMES)
    return torch.stack([torch.cat([small[start + offset] for offset in LOOKED_AT]) for start in starts])


@dataclass(frozen=True)
class Opinion:
    """Probabilities of one stream, means over its windows."""

    families: dict[str, float]
    palettes: dict[str, float]

    @property
    def family(self) -> str:
        """The likeliest family."""
        return max(self.families, key=lambda name: self.families[name])

    @property
    def palette(self) -> str:
        """The likeliest palette."""
        return max(self.palettes, key=lambda name: self.palettes[name])


class Classifier:
    """The trained network with the names of its classes, and how well it did on clips it was not trained on."""

    def __init__(self, net: FamilyClassifier, exam: dict[str, float] | None = None) -> None:
        self.net = net.eval()
        self.exam = exam or {}  # accuracies, as the file says

    @torch.inference_mode()
    def probabilities(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities per window of a stream (T, H, W, 3) uint8: (windows, families) and (windows, palettes)."""
        pictures = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255.0
        parts = [self.net(part) for part in windows_of(pictures).split(BATCH)]
        families, palettes = (torch.cat(logits).softmax(-1).numpy() for logits in zip(*parts, strict=True))
        return families, palettes

    def opinion(self, frames: np.ndarray) -> Opinion:
        """Name the family and the palette of a stream (T, H, W, 3) uint8 at 16 frames a second."""
        families, palettes = (part.mean(axis=0).tolist() for part in self.probabilities(frames))
        return Opinion(
            dict(zip(FAMILIES, families, strict=True)),
            dict(zip(PALETTES, palettes, strict=True)),
        )


def write_classifier(path: Path, weights: dict[str, Tensor], exam: dict[str, float]) -> None:
    """Write the weights (fp16) with the names of the classes and the accuracies on held-out clips."""
    config = {"families": list(FAMILIES), "palettes": list(PALETTES), "exam": exam}
    write_weights(path, KIND, config, weights)


def read_classifier(path: Path = SHIPPED) -> Classifier:
    """Read what `write_classifier` wrote. Raises ValueError with a sentence for a file that is missing or of old."""
    again = "train it: `vj train classifier`"
    if not path.is_file():
        raise ValueError(f"{path}: there is no classifier; {again}")
    config, weights = read_weights(path, KIND)
    if config["families"] != list(FAMILIES) or config["palettes"] != list(PALETTES):
        raise ValueError(f"{path}: knows other families or palettes than are drawn now; {again}")
    net = FamilyClassifier()
    net.load_state_dict(weights)
    return Classifier(net, config["exam"])
