"""Depth and pose through transformers' own classes with small random weights; loading never stops the stream."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    RTDetrConfig,
    RTDetrForObjectDetection,
    RTDetrResNetConfig,
    VitPoseBackboneConfig,
    VitPoseConfig,
    VitPoseForPoseEstimation,
)

from engine.downloads.catalogue import read_catalogue
from engine.vace.controls.book import ControlBook
from engine.vace.controls.depth import FILES, DepthMaker, load_depth
from engine.vace.controls.maker import ControlMaker, MadeControl
from engine.vace.controls.pose import FINDER_FILES, JOINT_FILES, PoseMaker, load_pose, peaks
from engine.vace.controls.registry import CONTROL_MAKERS, Control
from engine.weight_files import CheckpointError

CPU = torch.device("cpu")
SIZE = (96, 160)


def frames_of(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *SIZE, 4), np.uint8)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("VJ_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "no-cache"))
    return tmp_path


def write_depth(models: Path) -> None:
    torch.manual_seed(0)
    backbone = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
        out_features=["stage1", "stage2"],
        reshape_hidden_states=False,
    )
    sizes = {"reassemble_hidden_size": 16, "fusion_hidden_size": 8, "head_hidden_size": 8}
    config = DepthAnythingConfig(
        backbone_config=backbone, reassemble_factors=[2, 1], neck_hidden_sizes=[8, 8], head_in_index=-1, **sizes
    )
    DepthAnythingForDepthEstimation(config).save_pretrained(models / "Depth-Anything-V2-Small-hf")


def write_pose(models: Path) -> None:
    torch.manual_seed(0)
    backbone = RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    small = {"encoder_hidden_dim": 16, "encoder_ffn_dim": 16, "encoder_attention_heads": 2, "d_model": 16}
    small |= {"decoder_layers": 1, "decoder_ffn_dim": 16, "decoder_attention_heads": 2, "num_queries": 10}
    config = RTDetrConfig(
        backbone_config=backbone,
        encoder_in_channels=[8, 16, 16],
        decoder_in_channels=[16, 16, 16],
        num_labels=80,
        **small,
    )
    RTDetrForObjectDetection(config).save_pretrained(models / "rtdetr_r18vd_coco_o365")
    joints = VitPoseBackboneConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=[256, 192], patch_size=[16, 16]
    )
    config = VitPoseConfig(backbone_config=joints, num_labels=17, use_simple_decoder=True)
    VitPoseForPoseEstimation(config).save_pretrained(models / "vitpose-base-simple")


def test_every_file_a_control_needs_is_in_the_set_it_names() -> None:
    known = {file.reference for file in read_catalogue().wanted("controls").files}
    assert known == {*FILES, *FINDER_FILES, *JOINT_FILES}


def test_depth_is_read_as_published_and_makes_grey_pictures(models: Path) -> None:
    write_depth(models)
    made = load_depth(CPU)(frames_of(5), 0.0)
    assert made.pixels.shape == (5, *SIZE, 3)
    assert (made.pixels == made.pixels[..., :1]).all()


class Slope(nn.Module):
    """A network whose depth is the red of what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, int]] = []

    def forward(self, x: Tensor) -> SimpleNamespace:
        self.sizes.append(tuple(x.shape[-2:]))
        return SimpleNamespace(predicted_depth=x[:, 0] * 10.0 + 3.0)


def test_depth_spreads_over_black_and_white_and_does_not_pump() -> None:
    frames = frames_of(1)
    frames[0, ..., 0] = np.linspace(50, 150, SIZE[1]).astype(np.uint8)
    frames = np.repeat(frames, 6, axis=0)
    network = Slope()
    maker = DepthMaker(network, CPU, torch.float32)
    made = maker(frames[:3], 1.0)
    row = made.pixels[0, 48, :, 0].astype(int)
    assert row[0] < 8
    assert row[-1] > 247
    assert network.sizes[0] == (518, 868)
    brighter = frames[3:].copy()
    brighter[:, :, :30, 0] = 255  # something near comes in
    after = maker(brighter, 1.0, made.carried).pixels
    alone = maker(brighter, 1.0).pixels
    middle = (0, 48, 100, 0)
    jump, jump_alone = (abs(int(pixels[middle]) - int(made.pixels[2, 48, 100, 0])) for pixels in (after, alone))
    assert jump < 0.5 * jump_alone


def test_pose_is_read_as_published_and_draws_on_black(models: Path) -> None:
    write_pose(models)
    made = load_pose(CPU)(frames_of(3), 1.0)
    assert made.pixels.shape == (3, *SIZE, 3)


class OnePerson(nn.Module):
    """Finds one person at a place, and a chair that is surer."""

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(id2label={0: "person", 1: "chair"})
        self.calls = 0

    def forward(self, x: Tensor) -> SimpleNamespace:
        self.calls += 1
        logits = torch.tensor([[[4.0, -9.0], [-9.0, 9.0], [-1.0, -9.0]]])
        boxes = torch.tensor([[[0.5, 0.5, 0.3, 0.6], [0.2, 0.2, 0.1, 0.1], [0.8, 0.8, 0.1, 0.1]]])
        return SimpleNamespace(logits=logits, pred_boxes=boxes)


class BrightestJoints(nn.Module):
    """Sees every joint but the nose where the crop is greenest; the nose where it is bluest."""

    def forward(self, x: Tensor) -> SimpleNamespace:
        small = nn.functional.avg_pool2d(x, 4)
        maps = small[:, 1:2].expand(-1, 17, -1, -1).clone()
        maps[:, 0] = small[:, 2]
        return SimpleNamespace(heatmaps=maps / maps.flatten(2).amax(-1)[..., None, None])


def test_joints_are_drawn_where_they_are_in_the_picture() -> None:
    frames = np.zeros((6, *SIZE, 4), np.uint8)
    frames[:, 60:64, 90:94, 1] = 255
    frames[:, 30:34, 70:74, 2] = 255
    finder = OnePerson()
    maker = PoseMaker(finder, BrightestJoints(), CPU, torch.float32)
    drawn = maker(frames, 0.5).pixels
    assert finder.calls == 1
    for place in ((62, 92), (32, 72), (47, 82)):  # joint, nose, and the bone between
        assert drawn[5, place[0], place[1]].max() > 60
    assert drawn[5, :20].max() == 0
    assert drawn[5, :, :50].max() == 0
    finder.forward = lambda x: SimpleNamespace(logits=torch.full((1, 3, 2), -9.0), pred_boxes=torch.rand(1, 3, 4))
    assert maker(frames, 0.5).pixels.max() == 0


def test_the_highest_place_of_a_map_is_found_between_its_pixels() -> None:
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(48.0), indexing="ij")
    maps = torch.exp(-((columns - 20.3) ** 2 + (rows - 31.6) ** 2) / 2.0)[None, None]
    places, sure = peaks(maps)
    assert (places[0, 0] - torch.tensor([20.3, 31.6])).abs().max() < 0.25
    assert sure[0, 0] > 0.8


def test_a_network_loads_beside_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    may_load = threading.Event()

    def load(device: torch.device) -> ControlMaker:
        may_load.wait(10.0)
        return lambda frames, detail, carried=None: MadeControl(frames[..., :3])

    monkeypatch.setitem(CONTROL_MAKERS, "depth", Control("depth", "slow", load=load))
    book = ControlBook(CPU)
    assert book.notice("depth") == ""
    assert book.maker("depth") is None
    assert "is being loaded" in book.notice("depth")
    assert book.maker("edges") is not None
    may_load.set()
    assert book.maker("depth", wait=True) is book.maker("depth")
    assert book.notice("depth") == ""
    book.close()


@pytest.fixture
def book() -> Iterator[ControlBook]:
    made = ControlBook(CPU)
    yield made
    made.close()


def test_a_network_that_is_not_there_is_told_and_found_later(
    monkeypatch: pytest.MonkeyPatch, models: Path, book: ControlBook
) -> None:
    monkeypatch.setattr("engine.vace.controls.book.TRY_AGAIN_S", 0.05)
    for name in ("depth", "pose"):
        with pytest.raises(CheckpointError, match="`vj models download controls` fetches it"):
            book.maker(name, wait=True)
        assert name in book.notice(name)
    write_depth(models)
    deadline = time.monotonic() + 20.0
    while book.maker("depth") is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert book.notice("depth") == ""


def test_a_spoiled_network_is_told(models: Path) -> None:
    write_depth(models)
    (models / "Depth-Anything-V2-Small-hf" / "model.safetensors").write_bytes(b"spoiled")
    with pytest.raises(CheckpointError, match="cannot be read as DepthAnything"):
        load_depth(CPU)
    save_file({"something.else": torch.zeros(2)}, models / "Depth-Anything-V2-Small-hf" / "model.safetensors")
    with pytest.raises(CheckpointError, match="are missing"):
        load_depth(CPU)
