"""Command line of training: `python -m engine.training STAGE --config FILE --out FOLDER`.

Stages resume from their checkpoint in FOLDER. Exit codes: 0 done, 1 failed, 2 wrong use.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from engine.reward_forcing.config_file import SUFFIXES
from engine.training.config import SETTINGS, SettingsError, read_settings
from engine.training.published_settings import read_published_settings

DEFAULT_CONFIGS = Path(__file__).parent / "configs"


def _autoencoder(settings: object, folder: Path) -> None:
    from engine.ember.weights import write_autoencoder
    from engine.training.autoencoder import train_autoencoder

    write_autoencoder(train_autoencoder(settings, folder), folder)


def _text(settings: object, folder: Path) -> None:
    from engine.ember.weights import write_text_encoder
    from engine.training.text_heads import train_text

    write_text_encoder(train_text(settings, folder), folder)


def _bank(settings: object, folder: Path) -> None:
    from engine.training.bank import write_bank

    write_bank(settings, folder)


def _causal(settings: object, folder: Path) -> None:
    from engine.training.causal import train_causal

    train_causal(settings, folder)


def _redmd(settings: object, folder: Path) -> None:
    from engine.training.redmd import train_redmd

    train_redmd(settings, folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.training", description="Train ember, stage by stage.")
    parser.add_argument("stage", choices=list(SETTINGS), help="what to train or make")
    parser.add_argument(
        "--config",
        type=Path,
        help="settings, TOML (default: the one that made ember); stage redmd also reads a Reward Forcing "
        "configuration, YAML",
    )
    parser.add_argument("--out", type=Path, default=Path("runs/ember"), help="folder of the run (default: runs/ember)")
    return parser


STAGES: dict[str, Callable[[object, Path], None]] = {
    "autoencoder": _autoencoder,
    "text": _text,
    "bank": _bank,
    "causal": _causal,
    "redmd": _redmd,
}


def _read(stage: str, path: Path) -> object:
    if path.suffix.lower() not in SUFFIXES:
        return read_settings(stage, path)
    settings, notes = read_published_settings(stage, path)
    for note in notes:
        print(note, file=sys.stderr)
    return settings


def main(arguments: list[str] | None = None) -> int:
    """Run one stage; return the exit code."""
    options = _parser().parse_args(arguments)
    path = options.config or DEFAULT_CONFIGS / f"{options.stage}.toml"
    try:
        settings = _read(options.stage, path)
    except SettingsError as fault:
        print(fault, file=sys.stderr)
        return 2
    try:
        STAGES[options.stage](settings, options.out)
    except (OSError, ValueError) as fault:
        print(f"{options.stage}: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
