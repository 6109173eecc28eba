"""The trainer in one process: real batches, a guard, an average, checkpoints that are whole, exact resume."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from engine.checkpoints import read_checkpoint
from engine.training.objective import Draw
from engine.training.stage_config import StageConfig, make_config
from engine.training.trainer.average import Average
from engine.training.trainer.figures import FigureLog, read_figures
from engine.training.trainer.limit import Limit
from engine.training.trainer.loop import Trainer
from engine.training.trainer.optimisers import rate_factor
from engine.training.trainer.panel import read_prompts, sheet
from engine.training.trainer.run import export_stage, train_stage
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings
from engine.training.trainer.world import World, mesh_shape
from tests.engine.tiny import tiny_transformer
from tests.engine.training.toy import TOY, Toy, ToySettings
from tests.engine.training.toy_run import digest

ALONE = World(0, 1, torch.device("cpu"))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny matrices on a busy machine: threads would only wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _config(trainer: dict | None = None, **own: float) -> StageConfig:
    return make_config("toy", TOY, own | {"trainer": trainer or {}}, "toy")


def _trained(folder: Path, trainer: dict | None = None, **own: float) -> Trainer:
    config = _config(trainer, **own)
    made = Trainer(Toy(config.settings), config.trainer, config.optimisers, folder, ALONE)
    made.resume()
    made.train(Limit())
    return made


def test_a_step_is_one_step_of_the_weighted_mean_of_the_whole_batch(tmp_path: Path) -> None:
    made = _trained(tmp_path, {"steps": 1, "clip_norm": 0.05})
    plain = Toy(ToySettings())
    module = plain.trained["critic"]
    losses = [plain.loss("critic", 0, Draw(0, 0, "critic", micro, micro, 2)) for micro in range(4)]
    weight = sum(loss.weight for loss in losses)
    (sum(loss.total for loss in losses) / weight).backward()
    norm = torch.nn.utils.clip_grad_norm_(module.parameters(), 0.05)
    torch.optim.AdamW(module.parameters(), 0.003, (0.9, 0.999), weight_decay=0.01).step()
    for name, p in made.parts["critic"].module.named_parameters():
        torch.testing.assert_close(p, dict(module.named_parameters())[name], rtol=1e-4, atol=1e-6)
    figures = read_figures(tmp_path)[0]
    assert figures["critic.grad_norm"] == pytest.approx(float(norm), rel=1e-4)
    assert figures["critic.loss"] == pytest.approx(sum(float(loss.total.detach()) for loss in losses) / weight)
    squares = sum(loss.weight_squares for loss in losses)
    assert figures["critic.effective_samples"] == pytest.approx(weight**2 / squares)
    assert "generator.loss" not in figures


def test_stopped_and_resumed_is_the_same_to_the_bit_as_never_stopped(tmp_path: Path) -> None:
    straight = _trained(tmp_path / "straight", {"batch": 4})
    assert (
        read_figures(tmp_path / "straight")[-1]["critic.loss"] < read_figures(tmp_path / "straight")[0]["critic.loss"]
    )
    _trained(tmp_path / "halted", {"batch": 4, "steps": 4})
    halted = _trained(tmp_path / "halted", {"batch": 4})
    assert digest(halted) == digest(straight)
    assert halted._objective.remembered == straight._objective.remembered


def test_activations_made_anew_change_nothing(tmp_path: Path) -> None:
    made = []
    for recompute in (False, True):
        settings = TrainerSettings(batch=2, micro_batch=2, steps=2, dtype="float32", recompute=recompute)
        trainer = Trainer(Toy(ToySettings()), settings, TOY.optimisers, tmp_path / str(recompute), ALONE)
        trainer.train(Limit())
        made.append(digest(trainer))
    assert made[0] == made[1]


def test_muon_resumes_too(tmp_path: Path) -> None:
    muon = {name: OptimiserSettings("muon", 0.01) for name in ("generator", "critic")}

    def trained(folder: Path, steps: int) -> Trainer:
        settings = TrainerSettings(batch=2, micro_batch=2, steps=steps, dtype="float32")
        made = Trainer(Toy(ToySettings()), settings, muon, folder, ALONE)
        made.resume()
        made.train(Limit())
        return made

    trained(tmp_path / "halted", 2)
    assert digest(trained(tmp_path / "halted", 4)) == digest(trained(tmp_path / "straight", 4))


def test_a_step_without_a_finite_gradient_changes_nothing_and_is_counted(tmp_path: Path) -> None:
    made = _trained(tmp_path, {"steps": 2}, bad_from=0, bad_until=2)
    fresh = Toy(ToySettings()).trained["critic"]
    for p, q in zip(made.parts["critic"].module.parameters(), fresh.parameters(), strict=True):
        assert torch.equal(p, q)
    assert (made.state.skipped, made.state.skips_in_a_row) == (2, 2)
    made = _trained(tmp_path, {"steps": 3}, bad_from=0, bad_until=2)
    assert (made.state.skipped, made.state.skips_in_a_row) == (2, 0)


def test_a_run_without_finite_gradients_ends_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="step 3: no finite gradient for 3 steps in a row"):
        _trained(tmp_path, {"skips_in_a_row": 2}, bad_from=0)


def test_the_average_follows_from_its_start_on() -> None:
    module = tiny_transformer().requires_grad_(True)
    average = Average(module, 0.75)
    first = module.head.head.bias.detach().clone()
    with torch.no_grad():
        module.head.head.bias += 1.0
    average.update()
    torch.testing.assert_close(average.weights["head.head.bias"], first + 0.25)
    with average.in_place():
        torch.testing.assert_close(module.head.head.bias.detach(), first + 0.25)
    torch.testing.assert_close(module.head.head.bias.detach(), first + 1.0)
    average.restart()
    torch.testing.assert_close(average.weights["head.head.bias"], first + 1.0)


def test_randomness_is_a_place_and_nothing_else() -> None:
    place = {"seed": 1, "step": 2, "part": "critic", "turn": 0, "micro": 1, "samples": 4}
    first, again = Draw(**place), Draw(**place)
    assert torch.equal(torch.rand(3, generator=first.own), torch.rand(3, generator=again.own))
    assert first.dice.random() == again.dice.random()
    other = Draw(**place | {"micro": 0})
    assert not torch.equal(torch.rand(3, generator=Draw(**place).own), torch.rand(3, generator=other.own))
    assert torch.equal(torch.rand(3, generator=first.shared), torch.rand(3, generator=other.shared))
    for change in ({"seed": 2}, {"step": 3}, {"part": "generator"}, {"turn": 1}):
        another = Draw(**place | change)
        assert not torch.equal(torch.rand(3, generator=Draw(**place).shared), torch.rand(3, generator=another.shared))


def test_the_newest_checkpoints_are_kept_and_the_best(tmp_path: Path) -> None:
    trainer = {"steps": 6, "save_every_steps": 1, "keep": 2, "best": "critic.loss", "batch": 2}
    made = _trained(tmp_path, trainer)
    kept = sorted(int(path.name.removeprefix("step-")) for path in (tmp_path / "checkpoints").iterdir())
    losses = [line["critic.loss"] for line in read_figures(tmp_path)]
    assert made.state.best_step == losses.index(max(losses)) + 1
    assert kept == sorted({5, 6, made.state.best_step})
    note = json.loads((tmp_path / "checkpoints" / "step-000006" / "run.json").read_text())
    assert note["step"] == 6


def test_a_torn_checkpoint_is_never_the_newest(tmp_path: Path) -> None:
    _trained(tmp_path, {"steps": 4})
    whole = tmp_path / "checkpoints" / "step-000004"
    torn = tmp_path / "checkpoints" / "step-000005"
    shutil.copytree(whole, torn)
    (torn / ".metadata").unlink()
    shutil.copytree(whole, tmp_path / "checkpoints" / "saving-000006")
    made = Trainer(Toy(ToySettings()), TOY.trainer, TOY.optimisers, tmp_path, ALONE)
    assert made.resume()
    assert made.state.step == 4
    assert not (tmp_path / "checkpoints" / "saving-000006").exists()


def test_a_checkpoint_of_another_model_is_a_sentence(tmp_path: Path) -> None:
    _trained(tmp_path, {"steps": 1, "batch": 2})
    other = Toy(ToySettings())
    other.trained = {"generator": torch.nn.Linear(2, 2)}
    made = Trainer(other, TOY.trainer, TOY.optimisers, tmp_path, ALONE)
    with pytest.raises(ValueError, match="cannot be resumed .* --name"):
        made.resume()


def test_a_failed_save_is_told_and_the_training_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self, plan, planner):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("torch.distributed.checkpoint.FileSystemWriter.write_data", full)
    made = _trained(tmp_path, {"steps": 2, "batch": 2})
    assert made.state.step == 2
    assert "step 2 was NOT saved" in capsys.readouterr().err
    assert made._checkpoints.steps() == []


def test_sigterm_stops_at_a_checkpoint_and_the_command_goes_on(tmp_path: Path) -> None:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    folder = tmp_path / "toy"
    said = train_stage(TOY, _config({"steps": 100_000, "panel_every_steps": 0}), folder)
    assert "stopped because SIGTERM came; the same command goes on" in said
    step = read_figures(folder)[-1]["step"]
    assert (folder / "checkpoints" / f"step-{step:06d}").is_dir()
    longer = _config({"steps": step + 1, "panel_every_steps": 0})
    assert f"{step + 1} of {step + 1} steps; done" in train_stage(TOY, longer, folder)
    assert len(list(folder.glob("settings.before1.json"))) == 1


def test_minutes_and_a_verdict_end_a_run(tmp_path: Path) -> None:
    said = train_stage(TOY, _config({"batch": 2}), tmp_path / "short", minutes=1e-9)
    assert "1 of 8 steps; stopped because its 1e-09 minutes are over" in said
    said = train_stage(TOY, _config({"batch": 2}, end_at=3), tmp_path / "judged")
    assert "3 of 8 steps; ended: it was asked for" in said
    assert "3 of 8 steps; ended" in train_stage(TOY, _config({"batch": 2}, end_at=3), tmp_path / "judged")


def test_weights_go_out_in_the_original_key_names(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    train_stage(TOY, _config({"steps": 2, "batch": 2, "best": "-critic.loss"}), folder)
    path = folder / "generator.safetensors"
    assert read_checkpoint(path).tensors.keys() == tiny_transformer().state_dict().keys()
    assert (folder / "panel" / "000002.png").read_bytes().startswith(b"\x89PNG")
    written = path.stat().st_mtime_ns
    assert export_stage(TOY, _config(), folder, "best").endswith("exported step 2")
    assert path.stat().st_mtime_ns > written
    with pytest.raises(ValueError, match="has no checkpoint of step 7; there are"):
        export_stage(TOY, _config(), folder, "7")


def test_a_log_forgets_the_steps_that_were_lost(tmp_path: Path) -> None:
    log = FigureLog(tmp_path, 0)
    for step in range(1, 6):
        log.write(step, {"generator.loss": 1.0 / step})
    log.close()
    with (tmp_path / "figures.jsonl").open("a") as file:
        file.write('{"step": 6, "gener')
    FigureLog(tmp_path, 3).close()
    assert [line["step"] for line in read_figures(tmp_path)] == [1, 2, 3]


def test_tensorboard_gets_the_figures(tmp_path: Path) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = FigureLog(tmp_path, 0)
    log.write(3, {"generator.loss": 0.5})
    log.close()
    board = events.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in board.Scalars("generator/loss")] == [(3, 0.5)]


def test_rates_warm_up_hold_and_fall() -> None:
    settings = TrainerSettings(steps=100, warm_up_steps=10, hold=0.5, rate_floor=0.1)
    assert [rate_factor(step, settings) for step in (0, 9, 10, 50)] == [0.1, 1.0, 1.0, 1.0]
    assert rate_factor(75, settings) == pytest.approx(0.55)
    assert rate_factor(100, settings) == pytest.approx(0.1)


def test_meshes_are_split_in_nodes_and_copied_across() -> None:
    assert mesh_shape(8, 8, 0) == (1, 8)
    assert mesh_shape(64, 8, 0) == (8, 8)
    assert mesh_shape(16, 8, 16) == (1, 16)
    with pytest.raises(ValueError, match="shard = 3 must divide"):
        mesh_shape(8, 8, 3)


def test_a_panel_shows_each_clip_from_first_to_last(tmp_path: Path) -> None:
    clips = torch.linspace(0, 1, 11)[None, :, None, None, None].expand(2, 11, 3, 4, 6)
    picture = sheet(clips, columns=3)
    assert picture.shape == (12, 26, 3)
    assert [int(picture[0, x, 0]) for x in (0, 10, 20)] == [0, 128, 255]
    lines = tmp_path / "prompts.txt"
    lines.write_text("ink\n\n fire \n")
    assert read_prompts(lines) == ("ink", "fire")
    with pytest.raises(ValueError, match="holds no prompt"):
        lines.write_text("\n")
        read_prompts(lines)
