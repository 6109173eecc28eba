"""Depth as brightness, near = bright, by Depth Anything V2 in transformers' own classes.

Knows nothing of streams beyond the range of depth it has seen.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.vace.controls.maker import ControlMaker, MadeControl
from engine.vace.controls.model_files import model_folder, network_to

FILES = ("models:Depth-Anything-V2-Small-hf/config.json", "models:Depth-Anything-V2-Small-hf/model.safetensors")
PATCH = 14  # pixels of the network's patches
COARSEST, FINEST = 11, 37  # patches along the shorter side at detail 0 and 1; 37 is what it was trained at
BATCH = 4
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
RANGE = (0.02, 0.98)  # quantiles of depth that become black and white
RANGE_SHARE = 0.15  # of a new frame's range that is taken up: the whole picture does not pump with one frame


class DepthMaker:
    """A `ControlMaker`. Belongs to the thread that calls it."""

    def __init__(self, network: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
        """`network` is transformers' DepthAnythingForDepthEstimation, or one with its input and output."""
        self._network = network
        self._device, self._dtype = device, dtype

    @torch.inference_mode()
    def __call__(self, frames: np.ndarray, detail: float, carried: object | None = None) -> MadeControl:
        """As `ControlMaker`; detail 0 looks at 154 rows, 1 at 518, which takes eleven times as long."""
        height, width = frames.shape[1:3]
        pixels = torch.from_numpy(np.ascontiguousarray(frames[..., :3])).permute(0, 3, 1, 2)
        near = torch.cat([self._look(part, detail) for part in pixels.split(BATCH)])
        limits = carried if isinstance(carried, Tensor) else None
        made = []
        for frame in near:
            seen = torch.quantile(frame.flatten(), frame.new_tensor(RANGE))
            limits = seen if limits is None else limits + RANGE_SHARE * (seen - limits)
            made.append((frame - limits[0]) / (limits[1] - limits[0]).clamp_min(1e-6))
        grey = functional.interpolate(torch.stack(made)[:, None], (height, width), mode="bicubic", align_corners=False)
        bytes_ = (grey.clamp(0.0, 1.0) * 255.0).round().to(torch.uint8).permute(0, 2, 3, 1)
        return MadeControl(bytes_.expand(-1, -1, -1, 3).contiguous().cpu().numpy(), limits)

    def _look(self, pixels: Tensor, detail: float) -> Tensor:
        """Nearness (N, h, w) float32 of pixels (N, 3, H, W) uint8, in the network's own scale."""
        height, width = pixels.shape[-2:]
        patches = COARSEST + (FINEST - COARSEST) * min(1.0, max(0.0, detail))
        scale = patches / min(height, width)
        size = [PATCH * max(1, round(side * scale)) for side in (height, width)]
        x = pixels.to(self._device).float() / 255.0
        x = functional.interpolate(x, size, mode="bicubic", align_corners=False, antialias=True)
        mean, std = (x.new_tensor(numbers)[:, None, None] for numbers in (MEAN, STD))
        return self._network(((x - mean) / std).to(self._dtype)).predicted_depth.float()


def load_depth(device: torch.device) -> ControlMaker:
    """Read the published network. Raises CheckpointError with a sentence when it is not there or is another."""
    folder = model_folder("depth", FILES)
    from transformers import DepthAnythingForDepthEstimation

    network, dtype = network_to(DepthAnythingForDepthEstimation, folder, device)
    return DepthMaker(network, device, dtype)
