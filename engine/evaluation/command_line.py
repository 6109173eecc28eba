"""`vj evaluate`: measures of videos and of a model's own streams; `python -m engine evaluate` is the same."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.chunk_source import ChoiceError, SourceChoice, SourceError
from engine.evaluation.arguments import USUAL_SECTIONS, make_parser
from engine.evaluation.tables import section_lines, vbench_lines, video_lines
from engine.evaluation.vbench_run import VbenchError, VbenchRun, read_vbench_results, run_vbench
from engine.evaluation.vbench_scores import DIMENSIONS, vbench_scores
from engine.evaluation.video_report import ChunkGrid, Figures, mean_figures, measure_video, rounded
from engine.evaluation.videos import VideoError, find_videos, open_video
from engine.lora.slots import lora_values
from engine.model_presets import PresetError, load_preset
from engine.params import ChunkParams
from engine.progress import Progress

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USE = 0, 1, 2
FIRST_CHUNK_LACKS = 3  # frames: its first latent frame is one frame
CONTENT_HZ = 16.0


class EvaluateUseError(ValueError):
    """A command that makes no sense; the text is the sentence for the user."""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m engine evaluate") -> int:
    """Run the command line; return the exit code. Every failure is a sentence on stderr."""
    args = make_parser(prog).parse_args(arguments)
    report: Figures = {}
    try:
        _check(args)
        _write(args.json, report)  # before hours of measuring
        _measure(args, report)
        _write(args.json, report)
    except (EvaluateUseError, ChoiceError) as error:
        return _complain(prog, str(error), EXIT_WRONG_USE)
    except SourceError as error:
        if error.details:
            sys.stderr.write(f"{error.details}\n")
        return _complain(prog, str(error), EXIT_FAILED)
    except (VideoError, VbenchError, ArithmeticError) as error:
        return _complain(prog, str(error), EXIT_FAILED)
    return EXIT_DONE


def _measure(args: argparse.Namespace, report: Figures) -> None:
    if args.vbench_results:
        report["vbench"] = _vbench_figures(read_vbench_results(args.vbench_results))
    if args.videos and not args.vbench:
        report["videos"] = _measure_files(args)
    if args.vbench:
        report["vbench"] = _run_vbench(args)
    if args.model is not None or args.exam:
        _measure_model(args, report)


def _check(args: argparse.Namespace) -> None:
    """Refuse what does not go together, before anything is computed."""
    if not (args.videos or args.model is not None or args.vbench_results or args.exam):
        raise EvaluateUseError("say what to measure: video files or folders, --model NAME, or --vbench-results FILE")
    if args.vbench and (len(args.videos) != 1 or not args.videos[0].is_dir()):
        raise EvaluateUseError("--vbench measures one folder of clips: name it")
    for name in ("prompts", "lora", "rewards"):
        if vars(args)[name] and args.model is None:
            raise EvaluateUseError(f"--{name} goes with --model")
    _check_model_options(args)
    if args.measures and "prompts" in args.measures and args.prompts is None:
        raise EvaluateUseError("the measure `prompts` needs --prompts FILE")
    try:
        find_videos(args.videos)
    except VideoError as error:
        raise EvaluateUseError(str(error)) from None


def _check_model_options(args: argparse.Namespace) -> None:
    try:
        lora_values(args.lora)
    except ValueError as error:
        raise EvaluateUseError(f"--lora: {error}") from None
    if args.rewards:
        from engine.evaluation.reward_scores import missing_rewards

        if missing := missing_rewards(args.rewards, _model_folder(args)):
            raise EvaluateUseError("--rewards: " + "; ".join(missing))


def _model_folder(args: argparse.Namespace) -> Path:
    """Folder of a model that is a file: a reward trained beside it lies there."""
    return Path(args.model).parent


# -- files -----------------------------------------------------------------------------------------------------------


def _measure_files(args: argparse.Namespace) -> Figures:
    grid = ChunkGrid(args.chunk_frames, max(1, args.chunk_frames - FIRST_CHUNK_LACKS))
    rows: dict[str, Figures] = {}
    notes: dict[str, None] = {}
    for path in find_videos(args.videos):
        video = open_video(path)
        with Progress(path.name, video.expected_frames) as progress:

            def counted(video: object = video, progress: Progress = progress):
                for frame in video.frames():
                    progress.advance(1)
                    yield frame

            try:
                measured = measure_video(counted(), video.rate_hz, grid, args.switch_at)
            except VideoError:
                raise
            except ValueError as error:
                raise VideoError(f"{path}: {error}") from None
        rows[str(path)] = measured.figures
        notes |= dict.fromkeys(measured.notes)
    shown = {Path(name).name: figures for name, figures in rows.items()}
    means = mean_figures(rows.values())
    print("\n".join(video_lines(shown | ({"mean": means} if len(rows) > 1 else {}))))
    if args.switch_at is not None:
        for name, figures in shown.items():
            first, half = figures["switch_first_frames"], figures["switch_half_way_frames"]
            print(f"{name}: the picture leaves the one before after {first} frames and is half way after {half}")
    for note in notes:
        print(note, file=sys.stderr)
    return {"files": rows, "means": means, "notes": list(notes)}


def _run_vbench(args: argparse.Namespace) -> Figures:
    dimensions = args.vbench_dimensions or list(DIMENSIONS)
    with Progress("VBench", len(dimensions), unit="dimension") as progress:

        def tell(sentence: str) -> None:
            print(sentence, file=sys.stderr, flush=True)
            progress.advance(1)

        run = run_vbench(args.vbench, args.videos[0], dimensions, tell, is_standard=args.vbench_mode == "standard")
    return _vbench_figures(run)


def _vbench_figures(run: VbenchRun) -> Figures:
    scores = vbench_scores(run.raw)
    print("\n".join(vbench_lines(run, scores)))
    for failure in run.failures:
        print(failure, file=sys.stderr)
    return {
        "total": scores.total,
        "quality": scores.quality,
        "semantic": scores.semantic,
        "missing": list(scores.missing),
        "dimensions": run.raw,
        "videos": run.per_video,
        "failures": list(run.failures),
    }


# -- a model's own streams -------------------------------------------------------------------------------------------


def _measure_model(args: argparse.Namespace, report: Figures) -> None:
    """Judge the classifier first, then each section; every section is written as soon as it is done."""
    from engine.evaluation.asked_pictures import AskedError, read_asked
    from engine.evaluation.classifier import SHIPPED, read_classifier
    from engine.evaluation.model_report import Extent

    sections = args.measures or (("prompts",) if args.prompts is not None else USUAL_SECTIONS)
    try:
        asked = read_asked(args.prompts) if args.prompts is not None else []
    except AskedError as error:
        raise EvaluateUseError(str(error)) from None
    try:
        classifier = read_classifier(args.classifier or SHIPPED)
    except ValueError as error:
        if args.classifier is not None or args.exam or "blends" in (args.measures or ()):
            raise EvaluateUseError(str(error)) from None
        classifier = None
        print(f"what pictures show is not judged: {error}", file=sys.stderr)
        sections = tuple(section for section in sections if section != "blends")
    if classifier is not None:
        report["classifier"] = _exam(classifier, args.exam)
        print("\n".join(section_lines("the classifier, on clips it was not trained on", report["classifier"])))
    if args.model is None:
        return
    if "autoencoder" in sections:
        _measure_autoencoder(args, report)
        sections = tuple(section for section in sections if section != "autoencoder")
    if not sections:
        return
    extent = Extent(
        args.seconds,
        args.captions,
        args.blends,
        args.switches,
        args.drift_minutes * 60.0,
        args.hours * 3600.0,
        args.seed,
    )
    _run_sections(args, report, (sections, asked, classifier, extent))


def _measure_autoencoder(args: argparse.Namespace, report: Figures) -> None:
    from engine.evaluation.autoencoder_report import FAMILIES, autoencoder_report
    from engine.weight_files import CheckpointError

    try:
        preset = load_preset(args.model)
        size = args.size or (preset.stream.width, preset.stream.height)
        with Progress("autoencoder", args.clips * len(FAMILIES), unit="clip") as progress:
            made = rounded(autoencoder_report(preset, size, args.clips, progress.advance))
    except (PresetError, CheckpointError) as error:
        raise ChoiceError(str(error)) from error
    report["autoencoder"] = {"size": list(size), "clips": args.clips, **made}
    print("\n".join(section_lines("autoencoder", made | made["families"])), flush=True)


def _run_sections(args: argparse.Namespace, report: Figures, plan: tuple) -> None:
    from engine.evaluation.model_report import Judges, ModelReport
    from engine.evaluation.reward_scores import load_rewards
    from engine.evaluation.streams import Streams

    sections, asked, classifier, extent = plan
    judges = Judges(classifier, load_rewards(args.rewards, _model_folder(args)))
    params = dataclasses.replace(ChunkParams.from_values(lora_values(args.lora)), chunk_frames=args.chunk)
    choice = SourceChoice(args.model, args.size, args.device, args.dtype, threads=args.threads, is_reproducible=True)
    streams = Streams(choice, lambda sentence: print(sentence, file=sys.stderr, flush=True), params)
    try:
        if classifier is not None and streams.rate_hz != CONTENT_HZ:
            print(f"the classifier knows {CONTENT_HZ:g} frames a second, not {streams.rate_hz:g}", file=sys.stderr)
        report["model"] = {"name": streams.name, "size": list(streams.size), "chunk": args.chunk, "seed": args.seed}
        report["model"] |= {"loras": args.lora} if args.lora else {}
        for section in sections:
            total = ModelReport(streams, judges, extent, lambda frames: None).frames_of(section, len(asked))
            with Progress(section, total) as progress:
                judge = ModelReport(streams, judges, extent, progress.advance)
                made = {
                    "captions": judge.captions,
                    "prompts": lambda judge=judge: judge.prompts(asked),
                    "blends": judge.blends,
                    "switches": judge.switches,
                    "drift": judge.drift,
                    "hour": judge.hour,
                }[section]()
            report[section] = made
            print("\n".join(section_lines(section, made)), flush=True)
            _write(args.json, report)
    finally:
        streams.close()


def _exam(classifier: object, anew: bool) -> Figures:
    from engine.evaluation.classifier_training import examine

    return examine(classifier.net, int(classifier.exam.get("clips", 1000))) if anew else classifier.exam


def _write(path: Path | None, report: Figures) -> None:
    if path is None:
        return
    try:
        path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise EvaluateUseError(f"--json {path} cannot be written ({error.strerror})") from None


def _complain(prog: str, sentence: str, exit_code: int) -> int:
    print(f"{prog}: {sentence}", file=sys.stderr)
    return exit_code
