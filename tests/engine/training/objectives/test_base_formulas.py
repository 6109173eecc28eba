"""Teacher and causal base: loss and gradient against a few plain lines, on a model of two layers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.model.attention import scaled_dot_product
from engine.model.rope import rotate, rotation_table
from engine.training.clips.spec import Variety, random_plan
from engine.training.objective import Draw
from engine.training.objectives.causal import Causal, CausalSettings
from engine.training.objectives.clip_attention import everything
from engine.training.objectives.flow_matching import Teacher, TeacherSettings
from engine.training.samples import draw_samples
from engine.training.worn_history import worn
from tests.engine.small_model import CONFIG, write_small_model

GRID = (4, 6)


class _Past:
    """Attention over all that came before and itself, in order; nothing is overwritten, so gradients flow."""

    def __init__(self) -> None:
        self._table = rotation_table(CONFIG.window_frames, GRID[0] // 2, GRID[1] // 2, CONFIG.head_dim)
        self._seen: dict[int, tuple[Tensor, Tensor]] = {}

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if layer in self._seen:
            before, values = self._seen[layer]
            k, v = torch.cat((before, k), dim=1), torch.cat((values, v), dim=1)
        self._seen[layer] = k, v
        table = self._table[: k.shape[1]]
        return scaled_dot_product(rotate(q, table[-q.shape[1] :]), rotate(k, table), v)


def _draw() -> Draw:
    """The same draw from its beginning: its generators move on while they are used."""
    return Draw(seed=3, step=0, part="generator", turn=0, micro=0, samples=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with a small model and a bank of five clips of noise."""
    folder = tmp_path_factory.mktemp("run")
    write_small_model(folder / "small")
    (folder / "bank").mkdir()
    generator = torch.Generator().manual_seed(1)
    plans = [random_plan(generator, Variety()).flat() for _ in range(5)]
    start, far = torch.randn(5, 12, 16, *GRID, generator=generator), torch.randn(5, 6, 16, *GRID, generator=generator)
    torch.save({"start": start.half(), "far": far.half(), "plans": plans}, folder / "bank" / "0000.pt")
    return folder


def _gradients(model: torch.nn.Module) -> dict[str, Tensor]:
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    return found


def _same(model: torch.nn.Module, total: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(total, expected, atol=1e-5, rtol=1e-5)
    total.backward()
    found = _gradients(model)
    expected.backward()
    wanted = _gradients(model)
    assert found.keys() == wanted.keys()
    assert len(found) > 20
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient, atol=2e-5, rtol=1e-3)


def test_the_teacher_is_plain_flow_matching(folder: Path) -> None:
    settings = TeacherSettings(str(folder / "small"), "", ("bank",), (1.0,), latent_frames=6, without_prompt=0.0)
    teacher = Teacher(settings, folder)
    micro = teacher.loss("generator", 0, _draw())

    draw = _draw()
    torch.multinomial(torch.tensor([1.0]), 1, generator=draw.shared)
    x0, prompts = teacher._clips(teacher._banks[0], draw)
    text = teacher.generator.encode_text(teacher._texts.embed_blends(prompts))
    u = torch.randn(3, generator=draw.own).sigmoid()
    sigma = 3.0 * u / (1.0 + 2.0 * u)
    noise = torch.randn(x0.shape, generator=draw.own)
    s = sigma[:, None, None, None, None]
    flow = teacher.generator((1 - s) * x0 + s * noise, 1000 * sigma[:, None], text, everything(CONFIG, x0))
    expected = (flow - (noise - x0)).square().mean(dim=(1, 2, 3, 4)).sum()
    assert micro.weight == 3.0
    _same(teacher.generator, micro.total, expected)


@pytest.mark.parametrize("chunk_frames", [1, 3])
def test_the_causal_base_is_flow_matching_of_every_chunk_after_its_clean_past(folder: Path, chunk_frames: int) -> None:
    """The oracle runs chunk by chunk, each after its clean past; the objective packs all into one pass."""
    quiet = {
        "history_noise": 0.0,
        "fade_share": 0.0,
        "blur_share": 0.0,
        "any_step_share": 0.0,
        "own_history_from_step": 9,
    }
    settings = CausalSettings(
        str(folder / "small"), "", ("bank",), (1.0,), single_share=float(chunk_frames == 1), **quiet
    )
    causal = Causal(settings, folder)
    micro = causal.loss("generator", 0, _draw())

    draw = _draw()
    samples = draw_samples(causal._banks[0], causal._shares, 3, CONFIG, chunk_frames, draw.dice)
    worn(samples.history, causal._wear, CONFIG.sink_frames, draw.own)  # spoils nothing here; its dice are thrown
    noise = torch.randn(samples.target.shape, generator=draw.own)
    chunks = CONFIG.window_frames // chunk_frames
    steps = causal._timesteps[torch.randint(4, (3, chunks), generator=draw.own)]
    steps = steps.repeat_interleave(chunk_frames, dim=1)
    sigma = (steps / 1000.0)[:, :, None, None, None]
    noisy = (1 - sigma) * samples.target + sigma * noise
    text = causal.generator.encode_text(causal._texts.embed_blends(samples.prompts))

    flows = []
    for chunk in range(chunks):
        own, past = slice(chunk * chunk_frames, (chunk + 1) * chunk_frames), _Past()
        for number in range(chunk):
            seen = samples.history[:, number * chunk_frames : (number + 1) * chunk_frames]
            causal.generator(seen, torch.zeros(3, chunk_frames), text, past)
        flows.append(causal.generator(noisy[:, own], steps[:, own], text, past))
    error = (torch.cat(flows, dim=1) - (noise - samples.target)).square().mean(dim=(2, 3, 4))
    expected = (error * samples.counts).sum()
    assert micro.weight == float(samples.counts.sum())
    _same(causal.generator, micro.total, expected)
