"""Where presets lie: the user's folder first, then what came with the instrument. Knows nothing of what is in them."""

from __future__ import annotations

from pathlib import Path

import engine

PRESETS = Path("presets")


def preset_folders(kind: str) -> list[Path]:
    """Folders of a kind ("models", "downloads"), the one that wins first; they may not exist."""
    root = Path(engine.__file__).resolve().parents[1]
    # in a wheel the instrument's package carries the presets; the engine looks beside itself and imports nothing
    folders = [root / "vj" / "_shipped" / PRESETS / kind, root / PRESETS / kind]
    own = user_folder()
    return [own / PRESETS / kind, *folders] if own else folders


def preset_files(kind: str) -> dict[str, Path]:
    """Preset files of a kind by name: the user's win over shipped ones."""
    found: dict[str, Path] = {}
    for folder in reversed(preset_folders(kind)):
        found |= {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return dict(sorted(found.items()))


def user_folder() -> Path | None:
    """The user's folder for what people write; None on a machine that only trains or renders."""
    try:
        import platformdirs
    except ModuleNotFoundError:
        return None
    return platformdirs.user_config_path("vj", appauthor=False)
