"""Attention over parts, and the choice of a kernel: by capability and by what was measured, never by a name."""

import importlib.machinery
import json
import math
import sys
import types

import pytest
import torch

from engine.attention import kernels, table
from engine.attention.kernels import Capability, kernels_for, plain
from engine.attention.split_kv import attend_parts, attend_split
from engine.attention.table import AttentionTable, Shape, random_heads

CPU = torch.device("cpu")
HOPPER = Capability("cuda", 9, 0)  # an H200's, whose name holds neither "h100" nor "hopper"
SHAPE = Shape(2, 7, 23, 3, 16, torch.float32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_keys_in_parts_are_attended_to_as_in_one_piece(dtype):
    q, k, v = (x.to(dtype) for x in random_heads(SHAPE, CPU))
    k[:, :5] *= 9.0  # one part outweighs the others for some queries
    expected = plain(q, k, v)
    tolerance = 1e-5 if dtype == torch.float32 else 2e-2
    parts = [(k[:, a:b], v[:, a:b]) for a, b in ((0, 5), (5, 6), (6, 23))]
    assert torch.allclose(attend_parts(q, parts), expected, atol=tolerance)
    for splits in (1, 2, 5, 23, 40):
        assert torch.allclose(attend_split(q, k, v, splits), expected, atol=tolerance)


@pytest.fixture
def packages(monkeypatch):
    """Stand-ins for the three packages: they attend by PyTorch and note how they were called."""
    calls = []

    def stand_in(name, gives_sums):
        module = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)

        def flash_attn_func(q, k, v, **options):
            calls.append((name, options))
            return (plain(q, k, v), None) if gives_sums else plain(q, k, v)

        module.flash_attn_func = flash_attn_func
        monkeypatch.setitem(sys.modules, name, module)

    stand_in("flash_attn", False)
    stand_in("flash_attn_interface", True)
    stand_in("flash_attn.cute", True)
    return calls


def test_capability_decides_which_kernels_there_are(packages):
    names = {
        capability: {kernel.name for kernel in kernels_for(capability, torch.bfloat16, 128)}
        for capability in (Capability("cpu"), Capability("cuda", 7, 5), Capability("cuda", 8, 9), HOPPER)
    }
    splits = {f"cudnn split {n}" for n in kernels.SPLITS}
    assert names[Capability("cpu")] == names[Capability("cuda", 7, 5)] == {"torch"}
    assert names[Capability("cuda", 8, 9)] == {"torch", "cudnn", "flash2"} | splits
    assert names[HOPPER] >= {"torch", "cudnn", "flash2", "flash3", "flash3 split 3", "flash4"} | splits
    assert {kernel.name for kernel in kernels_for(HOPPER, torch.float32, 128)} == {"torch"}
    q, k, v = random_heads(SHAPE, CPU)
    for kernel in kernels_for(HOPPER, torch.bfloat16, 16):
        if kernel.name.startswith("flash"):
            assert torch.equal(kernel.attend(q, k, v), plain(q, k, v))
    assert ("flash_attn_interface", {"num_splits": 5}) in packages
    assert set(kernels.package_versions()) == {"flash2", "flash3", "flash4"}


def test_a_package_without_its_function_is_not_there(monkeypatch):
    module = types.ModuleType("flash_attn_interface")  # what one of that name on PyPI is: empty
    module.__spec__ = importlib.machinery.ModuleSpec("flash_attn_interface", None)
    monkeypatch.setitem(sys.modules, "flash_attn_interface", module)
    assert not any(kernel.name.startswith("flash3") for kernel in kernels_for(HOPPER, torch.bfloat16, 128))


@pytest.fixture
def hopper(monkeypatch, packages):
    """A CPU that says it is a Hopper GPU, on which cuDNN's kernels fail and others take the time they are given."""
    monkeypatch.setattr(Capability, "of", staticmethod(lambda device: HOPPER))
    monkeypatch.setattr(kernels, "HALVES", (torch.float32,))
    times = {"torch": 5.0, "flash2": 4.0, "flash3": 3.0, "flash3 split 2": 2.0, "flash3 split 3": 2.5}
    running = []
    known = AttentionTable.known

    def watched(self, *arguments):
        found = known(self, *arguments)
        return {name: _noting(kernel, running) for name, kernel in found.items()}

    monkeypatch.setattr(AttentionTable, "known", watched)

    def timer(work):
        work()
        return times.get(running[-1], 9.0)

    return timer


def _noting(kernel, running):
    def attend(q, k, v):
        running.append(kernel.name)
        return kernel.attend(q, k, v)

    return kernels.Kernel(kernel.name, attend, kernel.compiles)


def test_the_fastest_is_taken_and_kept_for_the_next_start(hopper, tmp_path):
    file = tmp_path / "cache" / "attention.json"
    measured = AttentionTable(file)
    found = measured.measure([SHAPE], CPU, hopper)[SHAPE.words]
    assert not any(name.startswith("cudnn") for name in found)  # they fail on a CPU, and are left out
    assert "flash4" not in found  # it would compile for seconds
    q, k, v = random_heads(SHAPE, CPU)
    assert measured.kernel(q, k).name == "flash3 split 2"
    assert measured.kernel(q, k[:, :11]).name == "flash3 split 2"  # fewer keys: the nearest that was measured
    assert measured.kernel(q[:, :3], k).name == "cudnn"  # another number of queries: as the capability has it

    def never(work):
        raise AssertionError("measured again")

    kept = AttentionTable(file)
    assert kept.measure([SHAPE], CPU, never) == {SHAPE.words: found}
    assert kept.kernel(q, k).name == "flash3 split 2"


def test_a_damaged_table_or_another_machines_is_measured_anew(hopper, tmp_path, monkeypatch):
    file = tmp_path / "attention.json"
    for text in ("", "{", "[1]", '{"x": 3}', json.dumps({table.machine_identity(CPU): {SHAPE.words: {"torch": "?"}}})):
        file.write_text(text)
        assert AttentionTable(file).measure([SHAPE], CPU, hopper)[SHAPE.words]["flash3"] == 3.0
    monkeypatch.setattr(table, "package_versions", lambda: {"flash3": "another"})
    AttentionTable(file).measure([SHAPE], CPU, hopper)
    assert len(json.loads(file.read_text())) == 2  # both are kept
    folder = tmp_path / "taken"
    folder.write_text("")
    assert AttentionTable(folder / "attention.json").measure([SHAPE], CPU, hopper)  # cannot be kept: no fault


def test_a_kernel_with_wrong_numbers_is_not_used(hopper, monkeypatch):
    monkeypatch.setattr(sys.modules["flash_attn_interface"], "flash_attn_func", lambda q, k, v, **_: (0.5 * q, None))
    measured = AttentionTable()
    assert set(measured.measure([SHAPE], CPU, hopper)[SHAPE.words]) == {"torch", "flash2"}
    q, k, _ = random_heads(SHAPE, CPU)
    assert measured.kernel(q, k).name == "flash2"


def test_nothing_is_measured_past_the_patience_or_on_a_cpu(hopper):
    assert AttentionTable().measure([SHAPE], CPU) == {}
    assert AttentionTable().measure([SHAPE], CPU, hopper, patience_s=-1.0) == {}
    assert math.isfinite(table.PATIENCE_S) and table.PATIENCE_S < 1.0
