"""Reading what weight files hold: safetensors, PyTorch pickles (weights only), and split folders with an index.

Whatever is wrong with a file is a CheckpointError with one sentence. Knows nothing of key names or models.
"""

import difflib
import json
import pickle
import re
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

_ZIP_MAGIC = b"PK\x03\x04"  # torch.save since 1.6
_PICKLE_MAGIC = b"\x80"  # torch.save before, and plain pickles
_FOREIGN_MAGIC = {
    b"GGUF": "a GGUF file, a format this program does not read; get the .safetensors or .pth of the same model",
    b"version https://git-lfs": "a Git LFS pointer, not the weights; fetch them with `git lfs pull`",
    b"<": "a web page, probably a failed download; download it again",
}
_SAFETENSORS_LENGTH_BYTES = 8  # little-endian length of the JSON header that follows
_NO_MEMORY = "Cannot allocate memory"  # in the error of a file that is mapped
_FOLDER_NAMES = ("diffusion_pytorch_model.safetensors", "model.safetensors", "diffusion_pytorch_model.bin")
_TORCH_READ_ERRORS = (  # what torch.load was seen to raise for damaged files, or may by its source
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
    struct.error,
)


class CheckpointError(Exception):
    """A weight file that cannot be used; the message says which, why and what to do."""


class TooLargeError(CheckpointError):
    """A whole file that this computer does not give the memory for; `shapes` are those of its tensors, by name."""

    def __init__(self, path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
        self.path = path
        self.size_gb = path.stat().st_size / 1e9
        self.shapes = shapes
        super().__init__(f"{path}: this computer does not give it the {self.size_gb:.1f} GB of memory it needs")


@dataclass(frozen=True)
class WeightFile:
    """What a file or a split folder holds: tensors by name, for pickles possibly in nested dicts; `metadata` if any."""

    path: Path
    entries: dict[str, object]
    metadata: dict[str, str]


def read_weight_file(path: Path) -> WeightFile:
    """Read a .safetensors, .pth, .pt or .bin file, or a folder of one model; memory-mapped where the format allows.

    Raises CheckpointError for anything missing, truncated, foreign or unsafe.
    """
    try:
        if not path.exists():
            raise CheckpointError(f"{path}: there is no such file{_near_names(path)}")
        if path.is_dir():
            return _read_folder(path)
        if not path.is_file():
            raise CheckpointError(f"{path}: it is neither a file nor a folder; name a weight file")
        size_bytes = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise CheckpointError(f"{path}: it cannot be read ({error.strerror}); check its permissions") from error
    if size_bytes == 0:
        raise CheckpointError(f"{path}: it is empty (0 bytes); download or save it again")
    for magic, problem in _FOREIGN_MAGIC.items():
        if head.lstrip().startswith(magic):
            raise CheckpointError(f"{path}: it is {problem}")
    # The content decides, because files get renamed; the suffix only when the content says nothing.
    # safetensors first: the length it starts with may by chance begin like a pickle.
    has_header = head[_SAFETENSORS_LENGTH_BYTES:].startswith(b"{")
    if not has_header and head.startswith((_ZIP_MAGIC, _PICKLE_MAGIC)):
        return WeightFile(path, _read_pickle(path, is_zip=head.startswith(_ZIP_MAGIC)), {})
    if has_header or path.suffix == ".safetensors":
        return _read_safetensors(path)
    raise CheckpointError(
        f"{path}: neither a safetensors file nor a PyTorch one, or damaged at its start; download or save it again"
    )


def _near_names(path: Path) -> str:
    try:
        siblings = [p.name for p in path.parent.iterdir()]
    except OSError:
        return f", and no folder {path.parent}"
    near = difflib.get_close_matches(path.name, siblings, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _read_safetensors(path: Path) -> WeightFile:
    try:
        with safe_open(path, framework="pt") as file:
            tensors: dict[str, object] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return WeightFile(path, tensors, dict(file.metadata() or {}))
    except (SafetensorError, OSError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        # Seen: SafetensorError for a bad header or a wrong size, the others for element types torch lacks.
        if _NO_MEMORY in str(error):
            raise TooLargeError(path, _read_shapes(path)) from None
        raise CheckpointError(
            f"{path}: the file is truncated or damaged ({_first_line(error)}); download or save it again"
        ) from error


def _read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes out of a safetensors header; nothing else of the file is read."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(_SAFETENSORS_LENGTH_BYTES))
        header = json.loads(file.read(length))
    return {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}


def _read_pickle(path: Path, *, is_zip: bool) -> dict[str, object]:
    try:
        loaded = _load_pickle(path, is_zip=is_zip)
    except pickle.UnpicklingError as error:
        wanted = re.search(r"GLOBAL (\S+)", str(error))
        if wanted is None:
            raise CheckpointError(
                f"{path}: the file is truncated or damaged ({_first_line(error)}); download or save it again"
            ) from error
        raise CheckpointError(
            f"{path}: this pickle needs more than weights (it asks for {wanted[1]}), and loading that could run "
            "foreign code; where you trust the file, save its tensors alone as .safetensors and use that"
        ) from error
    except _TORCH_READ_ERRORS as error:
        raise CheckpointError(
            f"{path}: the file is truncated or damaged ({_first_line(error)}); download or save it again"
        ) from error
    if not isinstance(loaded, dict):
        raise CheckpointError(
            f"{path}: it holds a {type(loaded).__name__}, not a dict of weights; save the model's state_dict()"
        )
    return {str(name): value for name, value in loaded.items()}


def _load_pickle(path: Path, *, is_zip: bool) -> object:
    with warnings.catch_warnings():
        # Old and damaged files alike; what matters of it is found by reading on.
        warnings.filterwarnings("ignore", "Detected pickle protocol", UserWarning)
        if path.suffix != ".safetensors":
            return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
        with path.open("rb") as file:  # given a name with this suffix, torch.load would choose the other format
            return torch.load(file, map_location="cpu", weights_only=True)


def _read_folder(folder: Path) -> WeightFile:
    indexes = sorted(folder.glob("*.index.json"))
    if len(indexes) == 1:
        return _read_shards(indexes[0])
    named = [folder / name for name in _FOLDER_NAMES if (folder / name).is_file()]
    if named and not indexes:
        return read_weight_file(named[0])
    loose = sorted(p for p in folder.iterdir() if p.suffix in (".safetensors", ".pth", ".pt", ".bin"))
    if len(loose) == 1:
        return read_weight_file(loose[0])
    inside = sorted(p.name + "/" * p.is_dir() for p in folder.iterdir())
    raise CheckpointError(
        f"{folder}: a folder with {len(loose)} weight files and {len(indexes)} index files, so it is not clear "
        f"which to load; name one file or one model's folder (inside: {', '.join(inside[:12]) or 'nothing'})"
    )


def _read_shards(index_path: Path) -> WeightFile:
    try:
        index = json.loads(index_path.read_text(encoding="utf-8"))
        places: dict[str, str] = dict(index["weight_map"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{index_path}: not a readable index ({_first_line(error)}); it needs a weight_map from key to file name"
        ) from error
    folder = index_path.parent
    shard_names = sorted(set(places.values()))
    absent = [name for name in shard_names if not (folder / name).is_file()]
    if absent:
        raise CheckpointError(
            f"{folder}: {len(absent)} of {len(shard_names)} files named in {index_path.name} are missing "
            f"({', '.join(absent)}); download them too"
        )
    shards = {name: read_weight_file(folder / name).entries for name in shard_names}
    lost = sorted(key for key, name in places.items() if key not in shards[name])
    if lost:
        raise CheckpointError(
            f"{folder}: {len(lost)} keys of {index_path.name} are not in the file it names (first: {lost[0]} in "
            f"{places[lost[0]]}); the files belong to different versions, download all of them again"
        )
    return WeightFile(folder, {key: shards[name][key] for key, name in places.items()}, {})


def tensors_of(entries: dict[str, object]) -> dict[str, Tensor]:
    """Return the entries that are tensors."""
    return {name: value for name, value in entries.items() if isinstance(value, Tensor)}


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
