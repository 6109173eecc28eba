"""`vj render`: prompts, a look or a timeline to video files, the same bits every time.

Knows nothing of look and timeline files: whoever can read them hands in a plan.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.chunk_source import (
    DEFAULT_MODEL,
    DEVICES,
    DTYPES,
    ChoiceError,
    ChunkSource,
    SourceChoice,
    SourceError,
    load_loras,
    load_source,
)
from engine.frame_size import parse_size
from engine.lora.slots import lora_values
from engine.parameter import sound_text
from engine.params import SEED_MAX, ChunkParams
from engine.progress import Progress
from engine.rendering.jobs import (
    Prompt,
    RenderJob,
    RenderUseError,
    jobs_for_plan,
    jobs_for_prompts,
    read_prompts,
)
from engine.rendering.offline_stream import Length, play
from engine.rendering.plan import RenderPlan
from engine.video_file import VideoFile, VideoFileError, check_output

DEFAULT_LENGTH_S = 10.0
DEFAULT_THREADS = 2
LONGEST_S = 1e6  # eleven days; more is a slip of the hand, and no disk holds it
MOST_LATENT_FRAMES = 4_000_000  # the same time at 16 frames per second
MOST_SAMPLES = 10_000
MOST_THREADS = 1024  # OpenMP ends the process when the system refuses it a thread
EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USE, EXIT_STOPPED = 0, 1, 2, 130  # 130 = 128 + SIGINT, as shells do

ReadPlan = Callable[[argparse.Namespace], RenderPlan]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `render`."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--prompt", metavar="TEXT", help="render one prompt")
    what.add_argument("--look", metavar="FILE", help="render a look: its prompts, weights and settings")
    what.add_argument("--timeline", metavar="FILE", help="render a timeline (TOML, or Scope JSON)")
    what.add_argument("--prompts", type=Path, metavar="FILE", help="render one clip per line of a text file")
    parser.add_argument(
        "--extended-prompts",
        type=Path,
        metavar="FILE",
        help="a longer text for each line of --prompts: given to the model",
    )
    parser.add_argument(
        "--samples",
        type=_count(MOST_SAMPLES),
        default=1,
        metavar="N",
        help="clips per prompt, with seeds --seed, --seed + 1, ...",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--seconds", type=_seconds, metavar="S", help=f"length (default: the timeline's, else {DEFAULT_LENGTH_S:g})"
    )
    length.add_argument(
        "--latent-frames",
        type=_count(MOST_LATENT_FRAMES),
        metavar="N",
        help="length in latent frames: 1 + 4(N - 1) frames",
    )
    parser.add_argument("--seed", type=_seed, metavar="N", help="seed of the noise (default: the file's, else 0)")
    parser.add_argument(
        "--lora",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE[:WEIGHT]",
        help="LoRAs to mix in, files or names in your loras folder, each with its weight (default: 1)",
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="model name, FILE.toml or DIR (default: %(default)s)")
    parser.add_argument("--size", type=_size, metavar="WxH", help="picture size in pixels (default: the model's own)")
    parser.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help="video file (.mp4, .mov, .mkv); for many clips a folder, or a name with {index}, {slug}, {prompt}, {seed} "
        "or {sample}",
    )
    parser.add_argument(
        "--lossless", action="store_true", help="write FFV1 in Matroska (.mkv): every pixel as it was made"
    )
    parser.add_argument(
        "--threads",
        type=_count(MOST_THREADS),
        default=DEFAULT_THREADS,
        metavar="N",
        help="CPU threads (default: %(default)s); another number may change the last bits",
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute (default: %(default)s)")
    parser.add_argument(
        "--dtype", choices=DTYPES, default="auto", help="number format (default: float32 on a CPU, bfloat16 on a GPU)"
    )


def run(args: argparse.Namespace, read_plan: ReadPlan | None = None) -> int:
    """Render what the options ask for; return the exit code. Every failure is a sentence on stderr.

    `read_plan` turns --look or --timeline into a plan; it may raise ValueError or OSError with a sentence.
    """
    try:
        jobs = _make_jobs(args, read_plan)
        jobs = _with_loras(jobs, args.lora)
        _check_outputs(jobs, args)
        return _render_all(jobs, args)
    except (RenderUseError, ChoiceError) as error:
        return _complain(str(error), EXIT_WRONG_USE)
    except KeyboardInterrupt:
        return _complain("stopped; the clip under way is not kept", EXIT_STOPPED)
    except SourceError as error:
        if error.details:
            sys.stderr.write(f"{error.details}\n")  # first, so that the last line is the one that matters
        return _complain(str(error), EXIT_FAILED)
    except (VideoFileError, ArithmeticError) as error:
        return _complain(str(error), EXIT_FAILED)
    except (RuntimeError, MemoryError) as error:  # what torch raises for a device that is full
        reason = str(error).partition("\n")[0] or "out of memory"
        return _complain(f"the model failed ({reason}); try a smaller --size", EXIT_FAILED)


def main(arguments: Sequence[str] | None = None, prog: str = "python -m engine render") -> int:
    """Parse and run; for `python -m engine render`."""
    parser = argparse.ArgumentParser(prog=prog, description="Render prompts, a look or a timeline to video files.")
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def _make_jobs(args: argparse.Namespace, read_plan: ReadPlan | None) -> list[RenderJob]:
    if args.extended_prompts is not None and args.prompts is None:
        raise RenderUseError("--extended-prompts goes with --prompts: it has one longer text for each of its lines")
    if args.look is not None or args.timeline is not None:
        return jobs_for_plan(_read_plan(args, read_plan), args.out, args.seed, args.samples)
    if args.prompts is not None:
        prompts = read_prompts(args.prompts, args.extended_prompts)
    elif args.prompt.strip():
        text = sound_text(args.prompt.strip())
        prompts = [Prompt(0, text, text)]
    else:
        raise RenderUseError("--prompt is empty: say what is to be seen")
    return jobs_for_prompts(
        prompts,
        args.out,
        args.seed or 0,
        args.samples,
        is_list=args.prompts is not None,
        is_lossless=args.lossless,
    )


def _with_loras(jobs: list[RenderJob], loras: Sequence[str]) -> list[RenderJob]:
    if not loras:
        return jobs
    try:
        params = ChunkParams.from_values(lora_values(loras))
    except ValueError as error:
        raise RenderUseError(f"--lora: {error}") from None
    slots = (params.lora_files, params.lora_weights, params.lora_switches)
    return [dataclasses.replace(job, plan=job.plan.with_loras(*slots)) for job in jobs]


def _read_plan(args: argparse.Namespace, read_plan: ReadPlan | None) -> RenderPlan:
    if read_plan is None:
        raise RenderUseError("looks and timelines are read by the instrument: use `vj render`")
    try:
        return read_plan(args)
    except (ValueError, OSError) as error:
        raise RenderUseError(str(error)) from None


def _check_outputs(jobs: list[RenderJob], args: argparse.Namespace) -> None:
    """Refuse what cannot be written before the model is loaded; make the folder that was clearly meant as one."""
    try:
        if args.out.endswith("/"):
            Path(args.out).mkdir(exist_ok=True)
        for job in jobs:
            check_output(job.out, args.lossless)
    except VideoFileError as error:
        raise RenderUseError(str(error)) from None
    except OSError as error:
        raise RenderUseError(f"the folder {args.out} cannot be made ({error.strerror})") from None


def _render_all(jobs: list[RenderJob], args: argparse.Namespace) -> int:
    began_s = time.monotonic()
    source = load_source(
        SourceChoice(args.model, args.size, args.device, args.dtype, args.threads, is_reproducible=True)
    )
    try:
        lengths = [_length(args, job.plan, source.rate_fps) for job in jobs]
        _tell(f"{source.model_name} on {source.device_name} in {time.monotonic() - began_s:.1f} s")
        for job, length in zip(jobs, lengths, strict=True):
            _render_one(source, job, length, args.lossless)
    finally:
        source.close()
    return EXIT_DONE


def _render_one(source: ChunkSource, job: RenderJob, length: Length, is_lossless: bool) -> None:
    """Make one file and say on stdout what it became."""
    size = (source.width, source.height)
    for note in job.plan.notes:
        _tell(note)
    if job.plan.size_hint not in (None, size):
        width, height = job.plan.size_hint
        _tell(f"the file names {width}x{height}; it is rendered at {size[0]}x{size[1]} (--size changes that)")
    for cue in job.plan.cues:
        load_loras(source, cue.params)
    for text in job.plan.texts:
        source.prompts.encode_now(text)
    began_s = time.monotonic()
    made = 0
    video = VideoFile(
        job.out, width=source.width, height=source.height, rate_fps=source.rate_fps, is_lossless=is_lossless
    )
    with Progress(job.out.name, length.expected_frames) as progress, video:
        for frames in play(source, job.plan, length):
            video.write(frames)
            made += len(frames)
            progress.advance(len(frames))
    rate_fps = made / (time.monotonic() - began_s)
    sys.stdout.write(
        f"{job.out}: {made} frames of {size[0]}x{size[1]}, {made / source.rate_fps:.2f} s, "
        f"{rate_fps:.1f} frames made per second\n"
    )
    sys.stdout.flush()


def _length(args: argparse.Namespace, plan: RenderPlan, rate_fps: float) -> Length:
    if args.latent_frames is not None:
        return Length(latent_frames=args.latent_frames)
    seconds = args.seconds if args.seconds is not None else plan.length_s or DEFAULT_LENGTH_S
    if seconds > LONGEST_S:
        raise RenderUseError(f"the file plays for {seconds:g} s; say how much of it with --seconds")
    frames = round(seconds * rate_fps)
    if frames < 1:
        raise RenderUseError(
            f"{seconds:g} s at {rate_fps:g} frames/s are not one frame: give at least {1 / rate_fps:g}"
        )
    return Length(frames=frames)


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _complain(sentence: str, exit_code: int) -> int:
    _tell(f"vj render: {sentence}")
    return exit_code


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not 0.0 < seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(
            f"{text} is no length: give seconds above 0, for example 4, and at most {LONGEST_S:g}"
        )
    return seconds


def _count(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = _whole(text)
        if not 1 <= number <= most:
            raise argparse.ArgumentTypeError(f"{text} is outside 1 to {most}")
        return number

    return read


def _seed(text: str) -> int:
    number = _whole(text)
    if not 0 <= number <= SEED_MAX:
        raise argparse.ArgumentTypeError(f"{text} is no seed: seeds go from 0 to {SEED_MAX}")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _size(text: str) -> tuple[int, int]:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
