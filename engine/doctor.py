"""What the engine finds on this computer: torch, GPU, attention, and every model's weights, as lines of JSON.

`vj doctor` asks in a process of its own and shows it in words. Imports torch only where its absence is a finding.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import engine
from engine.downloads.catalogue import read_catalogue
from engine.downloads.states import look_at
from engine.finding import Finding, encode_finding, found, missing
from engine.model_presets import (
    TEST_PATTERN_NAME,
    ModelPreset,
    PresetError,
    check_files,
    list_presets,
    load_preset,
)

ENGINE, ATTENTION, MODELS = "engine", "attention", "models"
SET_UP = "python3 start.py"  # from the checkout: installs what is missing
READ_WHOLE_BYTES = 500_000_000  # larger files are opened, and their values read only when they are played
SMALL_WIDTH = 512  # of a transformer that is built in a moment; the meta device imports for a second
NVIDIA_DRIVERS = (Path("/proc/driver/nvidia/version"), Path("/usr/lib/wsl/lib/libcuda.so.1"))
MIB = 1 << 20


def main(arguments: list[str]) -> int:
    """Write one line of JSON per finding to stdout, the slow ones last; always returns 0."""
    parser = argparse.ArgumentParser(prog="python -m engine doctor", description=__doc__)
    parser.add_argument("--model", default="", help="model whose absence would stop the show")
    wanted = parser.parse_args(arguments).model
    for finding in check_engine(wanted):
        sys.stdout.write(encode_finding(finding))
        sys.stdout.flush()
    return 0


def check_engine(wanted: str) -> Iterator[Finding]:
    """Yield what is found for the engine; `wanted` is the name, file or folder of the model of the show."""
    is_torch_needed = wanted != TEST_PATTERN_NAME
    try:
        importlib.import_module("engine.worker_loop")  # numpy is missing, or a file of the engine's own
    except ImportError as error:
        yield missing(ENGINE, "engine", f"cannot be loaded: {error}", SET_UP, stops_show=True)
    try:
        import torch

        importlib.import_module("engine.generator")
    except (ImportError, OSError) as error:  # OSError: a library of its own that is damaged
        yield missing(ENGINE, "PyTorch", f"cannot be loaded: {error}", SET_UP, stops_show=is_torch_needed)
        yield from _check_models(wanted, _is_there)
        return
    torch.set_num_threads(1)  # on a busy computer several wait for each other
    yield found(ENGINE, "PyTorch", torch.__version__)
    yield _check_gpu()
    yield from _check_attention()
    yield from _check_kernels()
    yield from _check_models(wanted, _load)


def _check_gpu() -> Finding:
    import torch

    from engine.loading import choose_dtype

    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        kind = f"{properties.total_memory // MIB} MiB, CUDA {torch.version.cuda}, compute {properties.major}"
        return found(ENGINE, "GPU", f"{properties.name}, {kind}.{properties.minor}")
    number_type = str(choose_dtype("auto", torch.device("cpu"))).removeprefix("torch.")
    instead = f"the picture is made by the processor: {os.cpu_count()} cores, {number_type}"
    if any(driver.exists() for driver in NVIDIA_DRIVERS):
        if torch.version.cuda is None:
            fix = f"an NVIDIA driver is here, but this PyTorch knows no CUDA: delete .venv and run {SET_UP}"
        else:
            fix = "the NVIDIA driver is too old or not loaded: update it, restart the computer"
        return missing(ENGINE, "GPU", instead, fix)
    return missing(ENGINE, "GPU", instead, "ember needs none; larger models want an NVIDIA GPU and its driver")


def _check_attention() -> Iterator[Finding]:
    """Try every kind of torch's attention on the device the engine would take: being compiled in is not enough."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    from engine.loading import choose_device, choose_dtype

    device = choose_device("auto")
    heads = torch.zeros(1, 2, 16, 64, device=device, dtype=choose_dtype("auto", device))
    usable = []
    for kind in (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.CUDNN_ATTENTION):
        try:
            with warnings.catch_warnings(), sdpa_kernel(kind):
                warnings.simplefilter("ignore")  # it gives its reasons as warnings
                torch.nn.functional.scaled_dot_product_attention(heads, heads, heads)
        except RuntimeError:
            continue
        usable.append(kind.name.removesuffix("_ATTENTION").lower())
    names = ", ".join([*usable, "math"])
    if usable:
        yield found(ATTENTION, "PyTorch's own", f"{names} on {device.type}")
    else:
        yield missing(ATTENTION, "PyTorch's own", f"only {names}, the slow one, on {device.type}", SET_UP)


def _check_kernels() -> Iterator[Finding]:
    """What a model would be computed by: attention's kernel, as measured where it has been, and fused kernels."""
    from engine.attention.kernels import Capability, kernels_for, package_versions, usual
    from engine.attention.table import machine_identity, read_table, table_file
    from engine.kernels.choice import fused_kernels
    from engine.loading import choose_device, choose_dtype
    from engine.model.config import ModelConfig

    device = choose_device("auto")
    capability, dtype = Capability.of(device), choose_dtype("auto", device)
    names = ", ".join(kernel.name for kernel in kernels_for(capability, dtype, ModelConfig().head_dim))
    file = table_file()
    kept = read_table(file).get(machine_identity(device), {}) if file is not None else {}
    taken = [f"{shape}: {min(times, key=lambda name: times[name])}" for shape, times in kept.items() if times]
    unmeasured = (
        f"{usual(capability, dtype)}{', until a model is loaded and measured' if device.type == 'cuda' else ''}"
    )
    chosen = "; ".join(taken) or unmeasured
    packages = "".join(f"; {name} {version}" for name, version in package_versions().items())
    yield found(ATTENTION, "kernels", f"{names}{packages}; taken: {chosen}")
    if device.type != "cuda":
        return
    kernels = fused_kernels(device)
    if kernels is not None:
        yield found(ENGINE, "fused kernels", kernels.name)
    else:
        yield missing(
            ENGINE, "fused kernels", "none: the plain path plays", "pip install triton, on a GPU of 8.0 and up"
        )


# -- models ---------------------------------------------------------------------------------------------------------


def _check_models(wanted: str, check: Callable[[ModelPreset], list[str]]) -> Iterator[Finding]:
    names = list(list_presets())
    if wanted not in (*names, "", TEST_PATTERN_NAME):
        names.append(wanted)  # a file or a folder
    for name in sorted(names, key=lambda name: name != wanted):
        yield _check_model(name, check, stops_show=name == wanted)
    if not names:
        yield missing(MODELS, "presets", "no model preset is installed", SET_UP, stops_show=wanted != TEST_PATTERN_NAME)


def _check_model(name: str, check: Callable[[ModelPreset], list[str]], stops_show: bool) -> Finding:
    try:
        preset = load_preset(name)
    except PresetError as error:
        return missing(
            MODELS,
            name,
            _one_line(error),
            "correct the preset's file, or choose another --model",
            stops_show=stops_show,
        )
    try:
        check_files(preset)
    except PresetError as error:
        what, _, fix = _one_line(error).rpartition("; ")
        if name in list_presets():
            state = look_at(read_catalogue().wanted(name))
            here = "in part here" if state.word == "partial" else "not downloaded"
            what, fix = f"{here}: {len(state.files)} files, {state.size_words}", f"vj models download {name}"
        finding = missing(MODELS, name, what, fix, stops_show=stops_show)
        return dataclasses.replace(finding, is_extra=not stops_show)  # nobody needs it who does not ask for it
    problems = check(preset)
    if problems:
        return missing(MODELS, name, "; ".join(problems), _weights_fix(preset), stops_show=stops_show)
    return found(MODELS, name, preset.description)


def _files(preset: ModelPreset) -> tuple[Path, ...]:
    return preset.transformer_file, preset.decoder.file, preset.text.file


def _is_there(preset: ModelPreset) -> list[str]:
    """All that can be said without torch."""
    files = [*_files(preset), *([preset.text.tokenizer] if preset.text.tokenizer else [])]
    return [f"{file} is missing" for file in files if not file.exists()]


def _load(preset: ModelPreset) -> list[str]:
    """Load each file as the show would, small ones whole; return what is wrong with them."""
    import torch

    from engine import loading
    from engine.checkpoints import CheckpointError, read_checkpoint

    cpu = torch.device("cpu")
    tokenizer = preset.text.tokenizer
    problems = [f"{tokenizer} is missing"] if tokenizer and not tokenizer.exists() else []
    loaders = (
        lambda: _load_transformer(preset),
        lambda: loading.load_decoder(preset.decoder, cpu, torch.float32),
        lambda: loading.load_text_encoder(preset, cpu, torch.float32),
    )
    for file, load in zip(_files(preset), loaders, strict=True):
        try:
            if file == preset.transformer_file or _is_small(file):
                load()
            else:
                read_checkpoint(file)  # the table of contents, and that the file is as long as it says
        except (CheckpointError, ValueError, OSError, RuntimeError, MemoryError) as error:
            problems.append(_one_line(error))
    return problems + _vace_problems(preset)


def _vace_problems(preset: ModelPreset) -> list[str]:
    """What is wrong with the file a model is guided with, where it is here."""
    from engine.checkpoints import CheckpointError, read_checkpoint
    from engine.vace.weights import vace_weights

    if preset.vace is None or not preset.vace.file.exists():
        return []
    try:
        vace_weights(read_checkpoint(preset.vace.file))
    except (CheckpointError, OSError, MemoryError) as error:
        return [_one_line(error)]
    return []


def _load_transformer(preset: ModelPreset) -> None:
    """Load a small transformer whole; of a large one compare names and shapes. Raises CheckpointError."""
    import torch

    from engine.checkpoint_kinds import compare
    from engine.checkpoints import CheckpointError, load_into, read_checkpoint
    from engine.model.transformer import CausalWanTransformer
    from engine.vace.weights import base_weights

    checkpoint = base_weights(read_checkpoint(preset.transformer_file))
    if preset.transformer.dim <= SMALL_WIDTH and _is_small(preset.transformer_file):
        load_into(CausalWanTransformer(preset.transformer), checkpoint)
        return
    with torch.device("meta"):
        wanted = CausalWanTransformer(preset.transformer).state_dict()
    shapes = ({name: tuple(t.shape) for name, t in tensors.items()} for tensors in (checkpoint.tensors, wanted))
    if compare(*shapes).lines():
        raise CheckpointError(
            f"{checkpoint.path}: this is {checkpoint.kind}; the preset {preset.path} asks for another"
        )


def _is_small(file: Path) -> bool:
    return file.is_file() and file.stat().st_size <= READ_WHOLE_BYTES


def _weights_fix(preset: ModelPreset) -> str:
    package = Path(engine.__file__).resolve().parent
    if any(package in file.parents for file in _files(preset)):
        return "git checkout -- engine (in a checkout), or install vj anew: these files come with it"
    return f"put the files there, or correct where {preset.path} looks for them"


def _one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].removesuffix(":") if lines else type(error).__name__
