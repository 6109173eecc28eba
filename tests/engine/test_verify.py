"""The verify command: the published golden files pass, and every way to spoil one fails with a sentence."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.golden import Recomputed, read_golden, recompute
from engine.verify import main, measure, verify_file
from tests.engine.golden_files import DIT, VAE, make_autoencoder_file, make_stream_file, read

USUAL_ERROR = 1e-5  # float32, of the published files; the gate is ten times this


@pytest.mark.parametrize(("path", "comparisons"), [(DIT, 86), (VAE, 7)])
def test_the_published_golden_files_pass(path: Path, comparisons: int) -> None:
    report = verify_file(path)
    assert report.passed, report.lines()
    assert len(report.measures) == comparisons
    assert max(m.error for m in report.measures if not m.unit) < USUAL_ERROR


def test_bfloat16_is_reproduced_within_its_tolerance() -> None:
    in_ulp = [m for m in verify_file(DIT).measures if m.unit == "ulp"]
    assert {m.name for m in in_ulp} == {"bf16.out"} | {
        f"bf16.cache{letter}.b{b}" for b in range(6) for letter in ("K.l0", "V.l1")
    }
    assert all(m.passed for m in in_ulp)


def test_bfloat16_may_round_elsewhere_but_no_element_may_stand_out() -> None:
    generator = torch.Generator().manual_seed(6)
    expected = (torch.randn(4000, generator=generator) + 4.0).clamp(2.1, 3.9).bfloat16()  # one ulp is 2 ** -6 here
    rounding = (torch.randn(4000, generator=generator) * 1.4).round() * 2**-6
    assert measure(Recomputed("bf16.out", expected + rounding), expected).passed
    assert not measure(Recomputed("bf16.out", expected + 3.0 * rounding), expected).passed
    one_altered = expected.clone()
    one_altered[17] += 3 * 2**-6
    assert not measure(Recomputed("bf16.out", one_altered), expected).passed
    assert not measure(Recomputed("bf16.out", expected * float("nan")), expected).passed


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Tensor], dict[str, str]]]:
    """A small golden file of each kind to spoil: its tensors and metadata. The stream's has a bfloat16 run as well."""
    folder = tmp_path_factory.mktemp("golden")
    stream, autoencoder = folder / "stream.safetensors", folder / "autoencoder.safetensors"
    make_stream_file(stream, 2, 4, 4, [1000.0, 625.0], dim=24, ffn_dim=16)
    make_autoencoder_file(autoencoder, {"dim": 4, "num_res_blocks": 1}, (3, 1, 2))
    files = {"causal_dit": read(stream), "wan_vae": read(autoencoder)}
    golden = read_golden(stream)
    wanting = replace(golden, expected={"bf16.out": torch.zeros(0)})
    made = {part.name: part.value for part in recompute(wanting)}
    files["causal_dit"][0].update(
        {name: made[name] for name in made if name.startswith(("bf16.out", "bf16.idx", "bf16.cacheK.l0"))}
    )
    return files


def verdict(tmp_path: Path, tensors: dict[str, Tensor], metadata: dict[str, str], capsys: pytest.CaptureFixture) -> str:
    """Write a spoiled file, run the command on it, check that it fails cleanly; returns what it printed."""
    path = tmp_path / "spoiled.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata=metadata)
    assert main([str(path)]) == 1
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "Traceback" not in shown.out
    assert shown.out.splitlines()[-1] == "  FAILED"
    return shown.out


def nudge(tensor: Tensor) -> Tensor:
    """Alter one element of a tensor, visibly."""
    spoiled = tensor.clone()
    spoiled.view(-1)[spoiled.numel() // 2] += 1 if not tensor.is_floating_point() else 0.25
    return spoiled


STREAM_SPOILS = [
    "in.noise", "in.renoise", "in.steps", "in.prompt_embeds", "w.blocks.1.ffn.0.weight", "w.head.modulation",
    "fp32.out", "fp32.flow.b2.s1", "fp32.x0.b3.s0", "fp32.cacheK.l0.b3", "fp32.cacheV.l1.b0", "fp32.idx.b3",
    "bf16.out", "bf16.cacheK.l0.b2", "bf16.idx.b1",
]  # fmt: skip
AUTOENCODER_SPOILS = [
    "in.z", "in.pixels", "out.pixels_raw", "out.latent", "w.decoder.head.2.bias", "w.encoder.conv1.weight",
]  # fmt: skip
SPOILS = [("causal_dit", name) for name in STREAM_SPOILS] + [("wan_vae", name) for name in AUTOENCODER_SPOILS]


def test_the_small_files_pass_before_they_are_spoiled(tmp_path: Path, small: dict) -> None:
    for kind, (tensors, metadata) in small.items():
        save_file(tensors, tmp_path / "golden.safetensors", metadata=metadata)
        report = verify_file(tmp_path / "golden.safetensors")
        assert report.passed, (kind, report.lines())


@pytest.mark.parametrize(("kind", "name"), SPOILS)
@pytest.mark.parametrize("spoil", ["altered", "nan", "misshapen", "gone"])
def test_a_spoiled_tensor_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture, small: dict, kind: str, name: str, spoil: str
) -> None:
    tensors, metadata = dict(small[kind][0]), small[kind][1]
    change: dict[str, Callable[[Tensor], Tensor]] = {
        "altered": nudge,
        "nan": lambda t: t.index_fill(-1, torch.tensor([0]), float("nan")) if t.is_floating_point() else nudge(t),
        "misshapen": lambda t: t[:, :-1] if t.ndim > 1 else t[:-1],
    }
    original = tensors.pop(name)
    if spoil != "gone":
        tensors[name] = change[spoil](original)
    shown = verdict(tmp_path, tensors, metadata, capsys)
    # An altered input or weight shows in the outputs, fewer steps in what belongs to them; all else is named.
    is_indirect = spoil == "altered" and name.startswith(("in.", "w.")) or name == "in.steps"
    assert is_indirect or name.removeprefix("w.") in shown


@pytest.mark.parametrize(("path", "name"), [(DIT, "fp32.out"), (DIT, "in.noise"), (VAE, "out.latent"), (VAE, "in.z")])
def test_a_spoiled_published_file_fails(tmp_path: Path, capsys: pytest.CaptureFixture, path: Path, name: str) -> None:
    tensors, metadata = read(path)
    tensors[name] = tensors[name].clone()
    tensors[name].view(-1)[7] += 0.01
    verdict(tmp_path, tensors, metadata, capsys)


@pytest.mark.parametrize("kind", ["causal_dit", "wan_vae"])
def test_tensors_that_cannot_be_checked_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture, small: dict, kind: str
) -> None:
    tensors, metadata = small[kind]
    for name in ("fp32.flow.b9.s0", "fp16.out", "out.frames", "note"):
        shown = verdict(tmp_path, tensors | {name: torch.zeros(2)}, metadata, capsys)
        assert f"the expected tensor {name} is none this file can be checked for" in shown
    assert "in.mask" in verdict(tmp_path, tensors | {"in.mask": torch.zeros(2)}, metadata, capsys)
    assert "extra (1)" in verdict(tmp_path, tensors | {"w.more.weight": torch.zeros(2)}, metadata, capsys)


def changed(metadata: dict[str, str], **changes: object) -> dict[str, str]:
    """The metadata with changes in its config."""
    return metadata | {"config": json.dumps(json.loads(metadata["config"]) | changes)}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"dim": 72}, "do not fill the model"),
        ({"dim": "24"}, "dim in its config is '24'; a whole number from 1 to 1000000 is needed"),
        ({"num_heads": 0}, "num_heads in its config is 0"),
        ({"num_heads": 5}, "its config is impossible"),
        ({"num_layers": 3}, "missing (27)"),
        ({"num_layers": 10**5}, "num_layers in its config is 100000; at most 1000 can be right"),
        ({"patch_size": 2}, "a list like [1, 2, 2] is needed"),
        ({"eps": None}, "a number is needed"),
        ({"text_len": 9}, "in.prompt_embeds has the shape (1, 5, 12), (any, 9, 12) is needed"),
        ({"chunk_frames": 4}, "its config is impossible"),
        ({"chunk_frames": 1}, "in.renoise has the shape"),
        ({"window_frames": 6}, "fp32.cacheK"),
        ({"window_frames": 30_000}, "at most 1000 can be right"),
        ({"ffn_dim": 10**30}, "a whole number from 1 to 1000000 is needed"),
        ({"eps": 10**400}, "it cannot be recomputed"),
        ({"ffn_dim": 10**6}, "do not fill the model"),
        ({"patch_size": [1, 2]}, "patch_size in its config is [1, 2]; a list like [1, 2, 2] is needed"),
        ({"sink_decay": 1.5}, "a number from 0 to 1"),
        ({"sink_decay": 0.5}, "fp32.x0.b3.s0"),
        ({"sink_decay": None}, "sink_decay in its config is None"),
        ({"timestep_shift": 3.0}, "fp32.x0.b0.s1"),
        ({"prompt_switch_chunk": 2}, "it has 1 prompts and prompt_switch_chunk 2"),
        ({"in_dim": 8}, "in.noise has the shape"),
    ],
)
def test_a_spoiled_config_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture, small: dict, changes: dict[str, object], complaint: str
) -> None:
    tensors, metadata = small["causal_dit"]
    assert complaint in verdict(tmp_path, tensors, changed(metadata, **changes), capsys)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"dim": 9}, "do not fill the model"),
        ({"dim_mult": []}, "a list like [1, 2, 4, 4] is needed"),
        ({"num_res_blocks": 10**5}, "at most 100"),
        ({"dim_mult": [1, 2, 4]}, "temporal_downsample has 3 entries"),
        ({"z_dim": 8}, "one of each per latent channel"),
        ({"temperal_downsample": [True, True, 1]}, "a list like [False, True, True] is needed"),
        ({"temperal_downsample": [True, True, False]}, "do not fill the model"),
    ],
)
def test_a_spoiled_autoencoder_config_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture, small: dict, changes: dict[str, object], complaint: str
) -> None:
    tensors, metadata = small["wan_vae"]
    assert complaint in verdict(tmp_path, tensors, changed(metadata, **changes), capsys)


def test_frames_of_no_legal_count_fail(tmp_path: Path, capsys: pytest.CaptureFixture, small: dict) -> None:
    tensors, metadata = dict(small["wan_vae"][0]), small["wan_vae"][1]
    tensors["in.pixels"] = tensors["in.pixels"][:, :, :8]
    assert "starts with 1 + 4k frames" in verdict(tmp_path, tensors, metadata, capsys)


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        ({}, "no `kind`"),
        ({"kind": "t5", "config": "{}"}, "its kind is 't5'; known kinds are causal_dit, wan_vae"),
        ({"kind": "wan_vae"}, "no readable `config`"),
        ({"kind": "wan_vae", "config": "{dim: 8}"}, "no readable `config`"),
        ({"kind": "wan_vae", "config": "[8]"}, "an object of sizes is expected"),
    ],
)
def test_unreadable_metadata_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture, small: dict, metadata: dict[str, str], complaint: str
) -> None:
    assert complaint in verdict(tmp_path, small["wan_vae"][0], metadata, capsys)


def test_files_that_are_none_fail_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(VAE.read_bytes()[:-1000])
    (tmp_path / "empty.safetensors").touch()
    torch.save({"a": torch.zeros(1)}, tmp_path / "model.pt")
    for path, complaint in [
        (cut, "truncated or damaged"),
        (tmp_path / "empty.safetensors", "empty (0 bytes)"),
        (tmp_path / "model.pt", "no golden file"),
        (tmp_path / "nowhere.safetensors", "there is no such file"),
        (tmp_path / "nowhere" / "x.safetensors", "no folder"),
    ]:
        assert main([str(path)]) == 1
        shown = capsys.readouterr().out
        assert complaint in shown
        assert str(path) in shown


def test_a_key_of_the_config_that_nothing_reads_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture, small: dict
) -> None:
    tensors, metadata = small["wan_vae"]
    path = tmp_path / "golden.safetensors"
    save_file(tensors, path, metadata=changed(metadata, attn_scales=[], dropout=0.0))
    assert main([str(path)]) == 0
    assert "note: attn_scales, dropout in its config is not used" in capsys.readouterr().out


def test_the_command_shows_a_row_per_series_or_per_tensor(capsys: pytest.CaptureFixture) -> None:
    assert main([str(VAE), str(VAE)]) == 0
    shown = capsys.readouterr().out
    assert shown.count("out.pixels_raw ") == 2
    assert shown.splitlines()[-1] == "2 of 2 files passed"
    assert main(["--every-tensor", str(VAE)]) == 0
    assert "out.latent, 1+8+8.." in capsys.readouterr().out


def test_no_file_is_wrong_use(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert "FILE" in capsys.readouterr().err
