"""People as coloured sticks on black, as OpenPose draws them: RT-DETR finds them, ViTPose their joints.

Both in transformers' own classes. Knows nothing of streams: every call stands for itself.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.vace.controls.maker import ControlMaker, MadeControl
from engine.vace.controls.model_files import model_folder, network_to
from engine.vace.controls.sticks import draw_people

FINDER_FILES = ("models:rtdetr_r18vd_coco_o365/config.json", "models:rtdetr_r18vd_coco_o365/model.safetensors")
JOINT_FILES = ("models:vitpose-base-simple/config.json", "models:vitpose-base-simple/model.safetensors")
FINDER_SIDE = 640  # pixels, what it was trained at
FIND_EVERY = 4  # frames; those between take the people of the nearest frame that was looked at
SURE = 0.5  # of a person
MOST_PEOPLE = 4
JOINT_SIZE = (256, 192)  # rows and columns of the crop a person is looked at in
MARGIN = 1.25  # of the crop around a person
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
STRICT, LENIENT = 0.6, 0.1  # how sure a joint must be at detail 0 and 1


class PoseMaker:
    """A `ControlMaker`. Belongs to the thread that calls it."""

    def __init__(self, finder: nn.Module, joints: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
        """`finder` is transformers' RTDetrForObjectDetection, `joints` its VitPoseForPoseEstimation."""
        self._finder, self._joints = finder, joints
        self._device, self._dtype = device, dtype
        names = {name: int(number) for number, name in finder.config.id2label.items()}
        self._person = names.get("person", 0)

    @torch.inference_mode()
    def __call__(self, frames: np.ndarray, detail: float, carried: object | None = None) -> MadeControl:
        """As `ControlMaker`; detail 0 draws joints it is sure of, 1 nearly all."""
        height, width = frames.shape[1:3]
        pixels = torch.from_numpy(np.ascontiguousarray(frames[..., :3])).permute(0, 3, 1, 2).to(self._device)
        pixels = pixels.float() / 255.0
        looked_at = list(range(FIND_EVERY // 2, len(frames), FIND_EVERY)) or [0]
        found = [self._people(pixels[number : number + 1]) for number in looked_at]
        least = STRICT + (LENIENT - STRICT) * min(1.0, max(0.0, detail))
        drawn = []
        for number in range(len(frames)):
            boxes = found[min(number // FIND_EVERY, len(found) - 1)]
            people = self._joints_of(pixels[number], boxes) if len(boxes) else np.zeros((0, 17, 3), np.float32)
            drawn.append(draw_people(people, height, width, least))
        return MadeControl(np.stack(drawn))

    def _people(self, pixels: Tensor) -> Tensor:
        """Boxes (N, 4) of a frame (1, 3, H, W) in 0..1: left, top, right, bottom in pixels; the surest first."""
        height, width = pixels.shape[-2:]
        x = functional.interpolate(pixels, (FINDER_SIDE, FINDER_SIDE), mode="bilinear", align_corners=False)
        found = self._finder(x.to(self._dtype))
        scores = found.logits[0, :, self._person].float().sigmoid()
        order = scores.argsort(descending=True)[:MOST_PEOPLE]
        centre, size = found.pred_boxes[0, order[scores[order] > SURE]].float().split(2, dim=-1)
        return torch.cat([centre - size / 2, centre + size / 2], dim=-1) * centre.new_tensor(
            [width, height, width, height]
        )

    def _joints_of(self, frame: Tensor, boxes: Tensor) -> np.ndarray:
        """Joints (N, 17, 3) of COCO, x, y in pixels and how sure, of the people in boxes of a frame (3, H, W)."""
        height, width = frame.shape[-2:]
        rows, columns = JOINT_SIZE
        centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        across = torch.maximum(size[:, 0], size[:, 1] * columns / rows) * MARGIN
        extent = torch.stack([across, across * rows / columns], dim=-1)  # of the crop, in pixels
        turn = torch.zeros(len(boxes), 2, 3, device=boxes.device)
        frame_size = boxes.new_tensor([width, height])
        turn[:, [0, 1], [0, 1]] = extent / frame_size
        turn[:, :, 2] = 2.0 * centre / frame_size - 1.0
        grid = functional.affine_grid(turn, [len(boxes), 3, rows, columns], align_corners=False)
        crops = functional.grid_sample(frame.expand(len(boxes), -1, -1, -1), grid, align_corners=False)
        mean, std = (crops.new_tensor(numbers)[:, None, None] for numbers in (MEAN, STD))
        maps = self._joints(((crops - mean) / std).to(self._dtype)).heatmaps.float()
        places, sure = peaks(maps)
        share = (places + 0.5) / places.new_tensor([maps.shape[-1], maps.shape[-2]])
        places = centre[:, None] + (share - 0.5) * extent[:, None]
        return torch.cat([places, sure[..., None]], dim=-1).cpu().numpy()


def peaks(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Highest places (N, K, 2) as x, y and heights (N, K) of maps (N, K, h, w), finer than their pixels."""
    height, width = maps.shape[-2:]
    sure, index = maps.flatten(2).max(dim=-1)
    row, column = index // width, index % width
    around = functional.pad(maps, (1, 1, 1, 1)).clamp_min(0.0)
    offsets = torch.arange(3, device=maps.device)
    rows, columns = (row[..., None] + offsets)[..., :, None], (column[..., None] + offsets)[..., None, :]
    batch = torch.arange(maps.shape[0], device=maps.device)[:, None, None, None]
    joint = torch.arange(maps.shape[1], device=maps.device)[None, :, None, None]
    near = around[batch, joint, rows, columns]  # (N, K, 3, 3)
    weight = near.sum(dim=(-2, -1)).clamp_min(1e-9)
    step = (offsets - 1).float()
    x = column + (near.sum(dim=-2) * step).sum(-1) / weight
    y = row + (near.sum(dim=-1) * step).sum(-1) / weight
    return torch.stack([x, y], dim=-1), sure


def load_pose(device: torch.device) -> ControlMaker:
    """Read both published networks. Raises CheckpointError with a sentence when one is not there or is another."""
    folders = [model_folder("pose", files) for files in (FINDER_FILES, JOINT_FILES)]
    from transformers import RTDetrForObjectDetection, VitPoseForPoseEstimation

    finder, dtype = network_to(RTDetrForObjectDetection, folders[0], device)
    joints, _ = network_to(VitPoseForPoseEstimation, folders[1], device)
    return PoseMaker(finder, joints, device, dtype)
