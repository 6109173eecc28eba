"""Model presets: which weight files, what geometry, which steps and stream, out of one TOML file per model.

Imports no torch. Knows nothing of what is in the weight files.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import engine
from engine.acceleration import EXACT, Acceleration, read_acceleration
from engine.downloads.catalogue import PREFIX as MODELS_PREFIX
from engine.downloads.catalogue import references_in
from engine.downloads.places import resolve
from engine.frame_size import check_size
from engine.model.config import ModelConfig
from engine.preset_folders import preset_files
from engine.preset_table import PresetError, PresetTable, did_you_mean, read_table

__all__ = [
    "DecoderPreset",
    "ModelPreset",
    "PresetError",
    "StreamPreset",
    "TextPreset",
    "VacePreset",
    "check_files",
    "list_presets",
    "load_preset",
    "missing_vace",
]

TEST_PATTERN_NAME = "test-pattern"  # the one model that is no file
FILE_IN_FOLDER = "model.toml"  # what a DIR must hold
PACKAGE_PREFIX = "engine:"  # a file inside the engine package, wherever it is installed
DECODER_KINDS = ("tiny_vae", "wan_vae")
TEXT_KINDS = ("ngram", "umt5")
MODEL_LATENTS = "model"
LATENT_SCALES = (MODEL_LATENTS, "wan_vae")  # whose scale a tiny autoencoder's weights work at
CAPTION_WORDS = {"ngram": 0, "umt5": 80}  # the published models were trained on prompts extended to about 80 words
MOST_CAPTION_WORDS = 400
TAEW_ENCODER_WIDTHS = (64, 64, 64)  # taew2_1, the published tiny autoencoder
TAEW_DECODER_WIDTHS = (256, 128, 64, 64)
WAN_VAE_DIM = 96
# far above any model: more is a slip of the hand, and would fill the memory before anything could refuse it
MOST_LAYERS, LARGEST_WIDTH, LONGEST_WINDOW_FRAMES = 1000, 1_000_000, 1000
LEVELS = 1000  # of the noise schedule; steps count down from here


@dataclass(frozen=True)
class DecoderPreset:
    """The autoencoder. Widths and statistics count only for kind "tiny_vae", `dim` for "wan_vae"."""

    kind: str  # one of DECODER_KINDS
    file: Path
    encoder_widths: tuple[int, ...] = TAEW_ENCODER_WIDTHS
    decoder_widths: tuple[int, ...] = TAEW_DECODER_WIDTHS
    has_latent_statistics: bool = False  # works on latents at the Wan autoencoder's scale (lighttaew2_1)
    dim: int = WAN_VAE_DIM  # of its narrowest level; 24 in lightvaew2_1


@dataclass(frozen=True)
class TextPreset:
    """The text encoder."""

    kind: str  # one of TEXT_KINDS
    file: Path
    tokenizer: Path | None = None  # tokenizer.json or its folder; kind "umt5" needs one
    caption_words: int = 0  # about how long the texts were it was trained on; 0 = short ones of a grammar of its own


@dataclass(frozen=True)
class VacePreset:
    """VACE's weights: a module of them alone, or a checkpoint that has them beside a transformer's, which stay out."""

    file: Path
    layers: tuple[int, ...]  # of the transformer: those that get a hint
    in_dim: int = ModelConfig.vace_in_dim  # channels of the context


@dataclass(frozen=True)
class StreamPreset:
    """What the model plays by itself: a look or the command line may say otherwise."""

    width: int  # pixels, divisible by 16
    height: int
    rate_fps: float  # content rate
    steps: tuple[int, ...]  # indices into the unwarped schedule, from 1000 down
    warped_steps: tuple[float, ...]  # timesteps as they are, instead of `steps`; empty = none given
    small_size: tuple[int, int] | None = None  # (width, height) played live on a CPU too slow for the rate at full size
    anchor: float = 0.0  # share of the way back to its first colours a stream takes per chunk; 0 = off, as published


@dataclass(frozen=True)
class ModelPreset:
    """One model, ready to be loaded. Files are absolute paths and may be missing."""

    name: str
    description: str
    licence: str
    path: Path  # of the preset itself
    transformer_file: Path
    transformer: ModelConfig
    decoder: DecoderPreset
    text: TextPreset
    stream: StreamPreset
    averaged: bool = False  # of a checkpoint that holds both, the moving average of the weights
    light_decoder: DecoderPreset | None = None  # for the same latents; played instead where memory is short
    vace: VacePreset | None = None  # loaded where its file is here
    acceleration: Acceleration = EXACT  # how it is computed, unless the command line says otherwise

    @property
    def guided(self) -> ModelConfig:
        """The transformer's geometry with its VACE blocks; without, for a model that has none."""
        return _guided(self.transformer, self.vace) if self.vace else self.transformer


def load_preset(name_or_path: str) -> ModelPreset:
    """Read a preset by NAME, FILE.toml or DIR. Raises PresetError (a ValueError) naming every problem."""
    try:
        return read_preset(_find(name_or_path))
    except OSError as error:
        raise PresetError(f"model {name_or_path[:80]!r} cannot be looked for ({error.strerror})") from None


def list_presets() -> dict[str, Path]:
    """Preset files by name: the user's win over shipped ones."""
    return preset_files("models")


def check_files(preset: ModelPreset) -> None:
    """Raise PresetError with the command that fetches them when files of published models are not here."""
    dispensable = {preset.light_decoder.file if preset.light_decoder else None}  # only where memory is short
    dispensable |= {preset.vace.file if preset.vace else None}  # what is not guided plays without
    files = {reference: resolve(reference) for reference in references_in(preset.path)}
    missing = [
        reference
        for reference, file in files.items()
        if not file.exists() and (file not in dispensable or file == preset.transformer_file)
    ]
    if not missing:
        return
    names = ", ".join(reference.removeprefix(MODELS_PREFIX) for reference in missing)
    files = f"{len(missing)} files are" if len(missing) > 1 else "a file is"
    raise PresetError(f"model {preset.name!r}: {files} not on this machine ({names}); {_fix(preset)}")


def missing_vace(preset: ModelPreset) -> str:
    """Why a model cannot be guided, as a sentence, looking at files alone; empty when its weights for that are here."""
    if preset.vace is None:
        return f"model {preset.name!r} has no VACE weights"
    if preset.vace.file.exists():
        return ""
    is_published = any(resolve(reference) == preset.vace.file for reference in references_in(preset.path))
    fix = f"; {_fix(preset)}" if is_published else f" ({preset.vace.file})"
    return f"model {preset.name!r}: its VACE weights are not on this machine{fix}"


def _fix(preset: ModelPreset) -> str:
    name = preset.path.stem if preset.path in list_presets().values() else ""
    return f"`vj models download {name}` fetches what is missing" if name else "`vj models list` tells what can be had"


def read_preset(path: Path) -> ModelPreset:
    """Read one preset file. Raises PresetError naming every problem."""
    top = read_table(path)
    name = top.text("name", path.stem)
    description, licence = top.text("description", ""), top.text("licence", "unknown")
    transformer, stream = top.table("transformer"), top.table("stream")
    transformer_file = _weight_file(transformer)
    averaged = transformer.switch("ema", False)
    config = _read_config(transformer, stream)
    decoder = _read_decoder(top.table("decoder"))
    light_decoder = _read_decoder(top.table("light_decoder")) if top.has("light_decoder") else None
    text = _read_text(top.table("text"))
    vace = _read_vace(top.table("vace"), config, transformer_file) if top.has("vace") else None
    stream_preset = _read_stream(stream)
    acceleration = read_acceleration(top.table("acceleration"))
    for table in (top, transformer, stream):
        table.finish()
    if top.problems:
        raise PresetError("\n".join(top.problems))
    return ModelPreset(
        name,
        description,
        licence,
        path,
        transformer_file,
        config,
        decoder,
        text,
        stream_preset,
        averaged,
        light_decoder,
        vace,
        acceleration,
    )


def _find(name_or_path: str) -> Path:
    path = _at_home(name_or_path or "(none)")
    if path.is_dir() and (path / FILE_IN_FOLDER).is_file():
        return path / FILE_IN_FOLDER
    if path.is_file():
        return path
    known = list_presets()
    if name_or_path in known:
        return known[name_or_path]
    if path.is_dir():
        raise PresetError(f"{path}: there is no {FILE_IN_FOLDER} in this folder")
    if path.suffix or path.parent != Path():
        raise PresetError(f"{path}: there is no such file or folder")
    names = ", ".join(known) or "none"
    raise PresetError(f"model {name_or_path!r} is unknown{did_you_mean(name_or_path, known)} (known: {names})")


def _at_home(written: str) -> Path:
    """Path with ~ read as shells do; a home nobody has stays as it is written, and is not found."""
    try:
        return Path(written).expanduser()
    except RuntimeError:
        return Path(written)


def _weight_file(table: PresetTable, key: str = "file") -> Path:
    """Path of a weight file: relative to the preset, inside the engine package, or among downloaded models."""
    written = table.text(key)
    if written.startswith(MODELS_PREFIX):
        return resolve(written)
    if written.startswith(PACKAGE_PREFIX):
        return Path(engine.__file__).resolve().parent / written.removeprefix(PACKAGE_PREFIX)
    try:
        return (table.path.parent / _at_home(written)).resolve()
    except (ValueError, RuntimeError):
        table.complain(key, f"{written!r} can be no file's name")
        return table.path


def _read_config(table: PresetTable, stream: PresetTable) -> ModelConfig:
    defaults = ModelConfig()
    streaming = ("window_frames", "sink_frames", "chunk_frames")
    widths = ("dim", "ffn_dim", "num_heads", "num_layers", "freq_dim", "text_dim", "text_len", "in_dim", "out_dim")
    fields: dict[str, int | float | tuple[int, ...]] = {}
    for name, value in dataclasses.asdict(defaults).items():
        if name in widths:
            fields[name] = table.integer(name, value, maximum=MOST_LAYERS if name == "num_layers" else LARGEST_WIDTH)
        elif name in streaming:
            fields[name] = stream.integer(name, value, maximum=LONGEST_WINDOW_FRAMES)
    fields["patch_size"] = tuple(int(side) for side in table.numbers("patch_size", defaults.patch_size))
    fields["eps"] = table.number("eps", defaults.eps, 0.0, 1.0)
    fields["timestep_shift"] = stream.number("timestep_shift", defaults.timestep_shift, 0.001, 1000.0)
    try:
        return ModelConfig(**fields)
    except (ValueError, ZeroDivisionError, IndexError) as error:
        table.complain("geometry", str(error))
        return defaults


def _read_decoder(table: PresetTable) -> DecoderPreset:
    kind, file = table.text("kind", choices=DECODER_KINDS), _weight_file(table)
    encoder = tuple(int(width) for width in table.numbers("encoder_widths", TAEW_ENCODER_WIDTHS))
    decoder = tuple(int(width) for width in table.numbers("decoder_widths", TAEW_DECODER_WIDTHS))
    for key, widths, count in (("encoder_widths", encoder, 3), ("decoder_widths", decoder, 4)):
        if len(widths) != count or min(widths) < 1:
            table.complain(key, f"{list(widths)} must be {count} whole numbers of at least 1")
    latents = table.text("latents", MODEL_LATENTS, LATENT_SCALES)
    dim = table.integer("dim", WAN_VAE_DIM, maximum=LARGEST_WIDTH)
    table.finish()
    return DecoderPreset(kind, file, encoder, decoder, latents != MODEL_LATENTS, dim)


def _read_vace(table: PresetTable, config: ModelConfig, transformer_file: Path) -> VacePreset:
    """Without a file the weights are in the transformer's own; without layers it is every second one, as in 1.3B."""
    file = _weight_file(table) if table.has("file") else transformer_file
    layers = tuple(int(layer) for layer in table.numbers("layers", tuple(range(0, config.num_layers, 2))))
    preset = VacePreset(file, layers, table.integer("in_dim", VacePreset.in_dim, maximum=LARGEST_WIDTH))
    try:
        _guided(config, preset)
    except ValueError as error:
        table.complain("layers", str(error))
    if not layers:
        table.complain("layers", "must name one layer at least; leave out the table for a model without VACE")
    table.finish()
    return preset


def _guided(config: ModelConfig, vace: VacePreset) -> ModelConfig:
    return dataclasses.replace(config, vace_layers=vace.layers, vace_in_dim=vace.in_dim)


def _read_text(table: PresetTable) -> TextPreset:
    kind = table.text("kind", choices=TEXT_KINDS)
    tokenizer = _weight_file(table, "tokenizer") if kind == "umt5" else None
    words = table.integer("caption_words", CAPTION_WORDS.get(kind, 0), minimum=0, maximum=MOST_CAPTION_WORDS)
    preset = TextPreset(kind, _weight_file(table), tokenizer, words)
    table.finish()
    return preset


def _read_stream(table: PresetTable) -> StreamPreset:
    width, height = table.integer("width"), table.integer("height")
    if table.has("width") and table.has("height"):
        try:
            check_size(width, height)
        except ValueError as error:
            table.complain("width", str(error))
    small_size = _read_small_size(table)
    if table.has("steps") and table.has("warped_steps"):
        table.complain("warped_steps", "stands beside steps: give one of the two")
    steps = table.numbers("steps", (1000, 750, 500, 250))
    warped = table.numbers("warped_steps")
    for key, values in (("steps", steps), ("warped_steps", warped)):
        is_falling = list(values) == sorted(set(values), reverse=True)
        if not is_falling or any(not 0 < value <= LEVELS for value in values) or (key == "steps" and not values):
            table.complain(key, f"{list(values)} must fall from at most {LEVELS} and stay above 0")
    if any(step != int(step) for step in steps):
        table.complain("steps", f"{list(steps)} must be whole numbers; timesteps as they are go into warped_steps")
    return StreamPreset(
        width=width,
        height=height,
        rate_fps=table.number("rate_fps", None, 1.0, 240.0),
        anchor=table.number("anchor", 0.0, 0.0, 0.9),
        steps=tuple(int(step) for step in steps),
        warped_steps=tuple(float(step) for step in warped),
        small_size=small_size,
    )


def _read_small_size(table: PresetTable) -> tuple[int, int] | None:
    if not (table.has("small_width") or table.has("small_height")):
        return None
    width, height = table.integer("small_width"), table.integer("small_height")
    if width and height:  # one that is missing is complained of by itself
        try:
            check_size(width, height)
        except ValueError as error:
            table.complain("small_width", str(error))
    return width, height
