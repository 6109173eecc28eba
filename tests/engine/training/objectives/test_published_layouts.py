"""Files of the published layouts go in and come out; a list of prompts is embedded once; published faults."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from engine.checkpoints import read_checkpoint
from engine.model_presets import load_preset
from engine.training.command_line import main
from engine.training.objective import Draw
from engine.training.objectives import texts
from engine.training.objectives.redmd import Redmd, RedmdSettings
from engine.training.objectives.texts import Texts, negative_text, read_prompts
from engine.training.objectives.trajectories import PairsError, Trajectories
from tests.engine.published_files import write_published
from tests.engine.small_model import write_small_model

SIZE = {"width": 48, "height": 32}


def test_the_chain_on_files_of_the_published_layouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wan, empty, list_of_two = write_published(tmp_path / "wan"), tmp_path / "empty.toml", tmp_path / "prompts.txt"
    empty.write_text("")
    list_of_two.write_text("red ink in water\n\nblue smoke\nred ink in water\n")

    def train(stage: str, **settings: object) -> None:
        values = {"model": str(wan), "start_from": "", **settings}
        words = [f"--set={key}={json.dumps(value)}" for key, value in values.items()]
        assert main([stage, "--config", str(empty), "--out", str(tmp_path), *words]) == 0

    quick = {"trainer.steps": 1, "trainer.batch": 2, "trainer.device": "cpu", "trainer.export": "float32"}
    listed = {"prompts": str(list_of_two), "negative_prompt": "wan", **SIZE}
    pairs = {"steps": 4, "stored": [0, 1, 2, 3], "latent_frames": 6, "device": "cpu", "dtype": "float32"}
    train("ode-pairs", **listed, **pairs)
    assert Trajectories(tmp_path / "ode_pairs").prompts == ("red ink in water", "blue smoke")
    assert len(list((tmp_path / "texts").iterdir())) == 4  # two prompts, the negative one, the empty one

    def unwanted(preset: object) -> None:
        raise AssertionError("the text encoder is loaded again")

    monkeypatch.setattr(texts, "load_texts", unwanted)
    train("ode", **quick)
    others = {name: str(wan) for name in ("teacher", "critic")}
    froms = {"start_from": "ode/generator.safetensors", "teacher_from": "", "critic_from": "wan/rewardforcing.pt"}
    train("redmd", **listed, **others, **quick, **froms, latent_frames=[6], beta=1.0, reward="motion")
    file = read_checkpoint(tmp_path / "redmd" / "generator.safetensors")
    published = read_checkpoint(wan / "rewardforcing.pt")
    assert (file.flavour, published.flavour) == ("original", "reward-forcing")
    shapes = [{name: tensor.shape for name, tensor in one.tensors.items()} for one in (file, published)]
    assert shapes[0] == shapes[1]


def test_published_trajectories_are_read_and_others_refused(tmp_path: Path) -> None:
    states = torch.randn(1, 5, 6, 16, 4, 6)
    torch.save({"a red ball": states}, tmp_path / "00000.pt")
    found = Trajectories(tmp_path)
    assert found.header.sigmas == pytest.approx((1.0, 0.96, 0.8889, 0.7273, 0.0), abs=1e-4)
    assert found[0].prompt == "a red ball"
    assert torch.equal(found[0].states, states[0])
    torch.save({"x": states[:, :4]}, tmp_path / "00001.pt")
    with pytest.raises(PairsError, match=r"\(1, 5, F, C, h, w\) are published"):
        Trajectories(tmp_path)


def test_lists_of_prompts_without_any_are_refused(tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("\n \n")
    with pytest.raises(ValueError, match="holds no prompts"):
        read_prompts(str(tmp_path / "none.txt"))
    assert len(negative_text("wan")) > 50
    assert negative_text("dull, grey") == "dull, grey"


def test_the_same_place_draws_the_same_prompts(tmp_path: Path) -> None:
    drawn = Texts(load_preset(str(write_small_model(tmp_path / "small"))), "", tmp_path)
    first, again, other = (drawn.draw(Draw(1, step, "generator", 0, 0, 3)) for step in (4, 4, 5))
    assert first[0] == again[0] != other[0]
    assert torch.equal(first[1], again[1])


def test_published_faults_are_off_and_can_be_had(tmp_path: Path) -> None:
    small = str(write_small_model(tmp_path / "small"))

    def made(*faults: int) -> Redmd:
        models = RedmdSettings(
            model=small, teacher=small, critic=small, start_from="", teacher_from="", critic_from="",
            width=48, height=32, latent_frames=(6,), beta=1.0, reward="motion", reward_clip=0.0, shipped_faults=faults,
        )  # fmt: skip
        return Redmd(models, tmp_path)

    plain = made()
    assert plain.parts(0) == plain.parts(5) == ("generator", "critic")
    assert plain.parts(1) == ("critic",)
    shipped = made(4)
    assert shipped.parts(0) == shipped.parts(40) == ("generator", "generator", "critic")
    assert shipped.parts(5) == ("critic",)
    assert shipped.loss("generator", 0, Draw(1, 0, "generator", 1, 1, 1)).weight == 0.0

    clips = 0.5 * torch.randn(2, 6, 16, 4, 6, generator=torch.Generator().manual_seed(1))
    draw, prompts = Draw(1, 0, "generator", 0, 0, 2), ["a", "b"]
    right, figures = plain.weights(draw, clips, prompts)
    assert right[0] != right[1]
    assert figures["reward_spread"] > 0
    assert not torch.equal(made(1).weights(draw, clips, prompts)[0], right)
    everyone = made(3).weights(draw, clips, prompts)[0]
    assert everyone[0] == everyone[1] == right[0]
