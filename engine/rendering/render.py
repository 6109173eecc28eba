"""`vj render`: prompts, a look or a timeline to video files, the same bits every time.

Knows nothing of look and timeline files: whoever can read them hands in a plan.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.chunk_source import ChoiceError, ChunkSource, SourceChoice, SourceError, load_files, load_source
from engine.lora.slots import lora_values
from engine.model_presets import ModelPreset
from engine.parameter import sound_text
from engine.params import ChunkParams
from engine.plans.memory_arguments import memory_choice
from engine.progress import Progress
from engine.rendering.arguments import DEFAULT_LENGTH_S, LONGEST_S, add_arguments
from engine.rendering.inputs import connect_clips, with_inputs
from engine.rendering.jobs import Prompt, RenderJob, RenderUseError, jobs_for_plan, jobs_for_prompts, read_prompts
from engine.rendering.offline_stream import Beginning, Length, play
from engine.rendering.plan import RenderPlan
from engine.reward_forcing.config_file import ConfigError, PublishedConfig, read_config
from engine.video_file import VideoFile, VideoFileError, check_output
from engine.video_in.arguments import AskedInputs
from engine.video_in.picture_files import PictureError

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USE, EXIT_STOPPED = 0, 1, 2, 130  # 130 = 128 + SIGINT, as shells do

ReadPlan = Callable[[argparse.Namespace], RenderPlan]


def run(args: argparse.Namespace, read_plan: ReadPlan | None = None) -> int:
    """Render what the options ask for; return the exit code. Every failure is a sentence on stderr.

    `read_plan` turns --look or --timeline into a plan; it may raise ValueError or OSError with a sentence.
    """
    try:
        config = _apply_config(args)
        jobs = _make_jobs(args, read_plan)
        jobs = _with_loras(jobs, args.lora)
        jobs, asked = with_inputs(jobs, args)
        _check_use(args, jobs)
        _check_outputs(jobs, args)
        return _render_all(jobs, args, config, asked)
    except (RenderUseError, ChoiceError, ConfigError) as error:
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


# -- what is asked for -----------------------------------------------------------------------------------------------


def _apply_config(args: argparse.Namespace) -> PublishedConfig | None:
    """Read --config and let it say what no option says. Raises ConfigError or RenderUseError."""
    config = read_config(args.config) if args.config is not None else None
    has_content = any((args.prompt is not None, args.look, args.timeline, args.prompts))
    if config is not None:
        for note in config.notes:
            _tell(note)
        args.seed = config.seed if args.seed is None else args.seed
        args.samples = config.samples if args.samples is None else args.samples
        if not has_content and config.data_path is not None:
            args.prompts, has_content = config.data_path, True
            _tell(f"the prompts are those of {config.data_path}, the configuration's data_path")
    args.samples = args.samples or 1
    if not has_content:
        raise RenderUseError("say what to render: --prompt, --prompts, --look or --timeline")
    return config


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
    made = jobs_for_prompts(
        prompts,
        args.out,
        args.seed or 0,
        args.samples,
        style=args.names,
        is_list=args.prompts is not None,
        is_lossless=args.lossless,
    )
    for note in made.notes:
        _tell(note)
    return made.jobs


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


def _check_use(args: argparse.Namespace, jobs: list[RenderJob]) -> None:
    """Refuse options that do not go together."""
    has_beginning = args.first_frame is not None or args.extend is not None
    if args.include_input and not has_beginning:
        raise RenderUseError("--include-input goes with --first-frame or --extend")
    if is_endless(args) and len(jobs) > 1:
        raise RenderUseError(
            f"--endless never comes to the second of {len(jobs)} clips: give one prompt, and one sample"
        )
    if args.noise == "upstream":
        if args.look is not None or args.timeline is not None:
            raise RenderUseError(
                "--noise upstream goes with --prompt or --prompts: the published program has no timelines"
            )
        if is_endless(args):
            raise RenderUseError("--noise upstream is drawn for the whole clip at once: give its length")


def is_endless(args: argparse.Namespace) -> bool:
    """Whether the options ask for a clip that only the user ends."""
    return args.endless or args.seconds == float("inf")


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


# -- rendering -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Clip:
    """One file to be made by a loaded source."""

    job: RenderJob
    length: Length
    beginning: Beginning | None


def _render_all(
    jobs: list[RenderJob], args: argparse.Namespace, config: PublishedConfig | None, asked: AskedInputs
) -> int:
    began_s = time.monotonic()

    def adjusted(preset: ModelPreset) -> ModelPreset:
        preset = config.applied_to(preset) if config is not None else preset
        return dataclasses.replace(preset, averaged=True) if args.ema else preset

    source = load_source(
        SourceChoice(
            args.model,
            args.size,
            args.device,
            args.dtype,
            args.threads,
            is_reproducible=True,
            adjust=adjusted,
            memory=memory_choice(args),
            accelerate=tuple(args.accelerate),
        ),
        _tell,
    )
    try:
        beginning = _beginning(args, source)
        clips = [_Clip(job, _length(args, job.plan, source.rate_fps), beginning) for job in jobs]
        flavour = f", {source.flavour} weights" if source.flavour else ""
        _tell(f"{source.model_name}{flavour} on {source.device_name} in {time.monotonic() - began_s:.1f} s")
        size = (source.width, source.height)
        if config is not None and config.size not in (None, size) and args.size is None:
            _tell(_other_size(config.size, size))
        begin_clip = _upstream_noise(args, source, clips[0]) if args.noise == "upstream" else None
        for clip in clips:
            if begin_clip is not None:
                begin_clip(clip.job.sample)
            connect_clips(source, asked)
            _render_one(source, clip, args)
    finally:
        source.close()
    return EXIT_DONE


def _beginning(args: argparse.Namespace, source: ChunkSource) -> Beginning | None:
    """What the clips go on from. Raises RenderUseError."""
    path = args.first_frame if args.first_frame is not None else args.extend
    if path is None:
        return None
    from engine.rendering.given_frames import read_clip, read_picture

    try:
        if args.first_frame is not None:
            given = read_picture(path, source.width, source.height)
        else:
            given = read_clip(path, source.width, source.height, source.rate_fps, source.chunk_frames)
    except PictureError as error:
        raise RenderUseError(str(error)) from None
    for note in given.notes:
        _tell(note)
    return Beginning(given.frames, args.include_input)


def _upstream_noise(args: argparse.Namespace, source: ChunkSource, clip: _Clip) -> Callable[[int], None]:
    """Have the source make its clips from noise in the published order; returns what begins each clip."""
    from engine.reward_forcing.noise_order import PublishedNoise

    goes_on = clip.beginning is not None
    needed = clip.length.needed_latents(goes_on=goes_on)
    assert needed is not None, "an endless clip was refused"
    noise = PublishedNoise(args.seed or 0, args.samples, needed, clip.beginning.latent_frames if goes_on else 0)
    try:
        source.take_noise_from(noise)
    except ValueError as error:
        raise RenderUseError(str(error)) from None
    if noise.latent_frames != needed:
        _tell(f"the published program makes whole chunks: noise is drawn for {noise.latent_frames} latent frames")
    if source.device_name == "cpu":
        _tell("noise is drawn on the CPU: the published program draws on a GPU, which has other numbers for a seed")
    return noise.begin_clip


def _render_one(source: ChunkSource, clip: _Clip, args: argparse.Namespace) -> None:
    """Make one file and say on stdout what it became."""
    job, length, size = clip.job, clip.length, (source.width, source.height)
    for note in job.plan.notes:
        _tell(note)
    if job.plan.size_hint not in (None, size):
        _tell(_other_size(job.plan.size_hint, size))
    for cue in job.plan.cues:
        load_files(source, cue.params)
    for text in job.plan.texts:
        source.prompts.encode_now(text)
    began_s = time.monotonic()
    made = 0
    video = VideoFile(
        job.out,
        width=source.width,
        height=source.height,
        rate_fps=source.rate_fps,
        is_lossless=args.lossless,
        is_endless=length.is_endless,
    )
    try:
        with Progress(job.out.name, _total(clip)) as progress, video:
            for frames in play(source, job.plan, length, clip.beginning):
                video.write(frames)
                made += len(frames)
                progress.advance(len(frames))
    except ValueError as error:  # frames the model cannot begin with, an input that breaks off
        raise RenderUseError(str(error)) from None
    except KeyboardInterrupt:
        if not (length.is_endless and made):
            raise
    rate_fps = made / (time.monotonic() - began_s)
    sys.stdout.write(
        f"{job.out}: {made} frames of {size[0]}x{size[1]}, {made / source.rate_fps:.2f} s, "
        f"{rate_fps:.1f} frames made per second\n"
    )
    sys.stdout.flush()


def _total(clip: _Clip) -> int | None:
    """Frames of the file; None without end."""
    made = clip.length.expected_frames(goes_on=clip.beginning is not None)
    shown = len(clip.beginning.frames) if clip.beginning is not None and clip.beginning.is_shown else 0
    return None if made is None else made + shown


def _length(args: argparse.Namespace, plan: RenderPlan, rate_fps: float) -> Length:
    if is_endless(args):
        return Length()
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


def _other_size(named: tuple[int, int], size: tuple[int, int]) -> str:
    return f"the file names {named[0]}x{named[1]}; it is rendered at {size[0]}x{size[1]} (--size changes that)"


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _complain(sentence: str, exit_code: int) -> int:
    _tell(f"vj render: {sentence}")
    return exit_code
