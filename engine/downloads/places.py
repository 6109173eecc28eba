"""Where model files lie on this machine: in vj's own models folder, or in that of Scope, ComfyUI or the hub's cache.

Foreign folders are read in place and never written. Reaches no network, imports no torch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.downloads.catalogue import PREFIX, Catalogue, RemoteFile, read_catalogue

OWN_VARIABLE = "VJ_MODELS"
SCOPE_VARIABLES = ("DAYDREAM_SCOPE_MODELS_DIR", "DAYDREAM_SCOPE_DIR")
COMFYUI_VARIABLE = "COMFYUI_PATH"  # ComfyUI's own folder, the one that holds models/
COMFYUI_HOMES = ("ComfyUI", "comfy/ComfyUI", "Documents/ComfyUI")
COMFYUI_FOLDERS = ("diffusion_models", "unet", "text_encoders", "clip", "vae", "vae_approx", "loras", "checkpoints")
PIECE = ".piece"  # ending of a file that is not whole yet


@dataclass(frozen=True)
class Place:
    """A folder of models that belongs to a program."""

    owner: str  # "vj", "Scope", "ComfyUI", "Hugging Face"
    folder: Path


def own_folder() -> Path:
    """Where downloads go: $VJ_MODELS, else the platform's folder for a user's data."""
    if written := os.environ.get(OWN_VARIABLE):
        return Path(written).expanduser().absolute()
    try:
        import platformdirs
    except ModuleNotFoundError:  # a machine that only trains or renders
        return Path.home() / ".local" / "share" / "vj" / "models"
    return platformdirs.user_data_path("vj", appauthor=False) / "models"


def own_path(file: RemoteFile) -> Path:
    """Where a file lies, or would lie, among vj's own."""
    return own_folder() / file.folder / file.path


def foreign_places(environment: Mapping[str, str] = os.environ) -> list[Place]:
    """Models folders of other programs that are there, by their own variables and default places."""
    home = Path.home()
    models, data = (environment.get(name, "") for name in SCOPE_VARIABLES)
    scope = Path(models) if models else Path(data or home / ".daydream-scope") / "models"
    written = environment.get(COMFYUI_VARIABLE)
    comfy = [Path(written)] if written else [home / name for name in COMFYUI_HOMES]
    cache = environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE")
    hub_home = environment.get("HF_HOME") or Path(environment.get("XDG_CACHE_HOME") or home / ".cache", "huggingface")
    found = [Place("Scope", scope), *(Place("ComfyUI", folder / "models") for folder in comfy)]
    found.append(Place("Hugging Face", Path(cache) if cache else Path(hub_home, "hub")))
    places = [Place(place.owner, place.folder.expanduser().absolute()) for place in found]
    return [place for place in places if place.folder.is_dir()]


def locate(file: RemoteFile, size_bytes: int | None = None) -> tuple[Path, str] | None:
    """Path and owner of a whole file, vj's own first; None when it is nowhere. `size_bytes` when more is known.

    What a file holds is not looked at, that is `vj models verify`'s work; one of another size is not taken.
    """
    wanted_bytes = file.size_bytes or size_bytes
    if _is_whole(own := own_path(file), wanted_bytes):
        return own, "vj"
    for place in foreign_places():
        for path in _candidates(place, file):
            if _is_whole(path, wanted_bytes):
                return path, place.owner
    return None


def resolve(reference: str, catalogue: Catalogue | None = None) -> Path:
    """Path of a `models:FOLDER/PATH` reference; vj's own place for it when it is nowhere yet."""
    catalogue = catalogue or read_catalogue()
    folder, _, path = reference.removeprefix(PREFIX).partition("/")
    file = catalogue.file(reference) or RemoteFile("", path, folder)
    found = locate(file)
    return found[0] if found else own_path(file)


def _is_whole(path: Path, size_bytes: int | None) -> bool:
    try:
        return path.is_file() and path.stat().st_size == (size_bytes or path.stat().st_size)
    except OSError:
        return False


def _candidates(place: Place, file: RemoteFile) -> Iterator[Path]:
    if place.owner == "Scope":
        yield place.folder / file.folder / file.path
    elif place.owner == "ComfyUI":
        # by name alone, in any folder below: only files whose name is nobody else's
        name = Path(file.path).name
        if file.size_bytes and name not in ("model.safetensors", "model.pt", "config.json"):
            for folder in COMFYUI_FOLDERS:
                yield from sorted((place.folder / folder).rglob(name))
    elif file.is_on_hub:
        repository = place.folder / f"models--{file.source.replace('/', '--')}"
        yield repository / "snapshots" / (file.revision or _head(repository)) / file.path


def _head(repository: Path) -> str:
    try:
        return (repository / "refs" / "main").read_text("utf-8").strip() or "none"
    except OSError:
        return "none"
