"""`vj lora inspect | convert | merge | extract`: LoRA files looked at, rewritten, merged into a model and taken out."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.checkpoint_kinds import compare, grouped
from engine.checkpoints import read_checkpoint
from engine.lora.lora_file import LoraError, LoraFile, read_lora
from engine.lora.mixer import find_lora, lora_folders
from engine.lora.slots import parse_lora
from engine.lora.writing import STYLES, convert, extract, write_factors
from engine.model.transformer import CausalWanTransformer
from engine.model_presets import load_preset
from engine.terminal import run_command
from engine.weight_files import CheckpointError

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USE = 0, 1, 2
DEFAULT_RANK = 32


def main(arguments: Sequence[str], prog: str = "python -m engine lora") -> int:
    """Parse and run; every failure is a sentence on stderr."""
    args = _parser(prog).parse_args(arguments)
    try:
        return args.command(args)
    except (CheckpointError, ValueError) as error:
        sys.stderr.write(f"{prog}: {error}\n")
        return EXIT_FAILED


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog, description="Work on LoRA files.", epilog="Exit codes: 0 done, 1 failed, 2 wrong use."
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    inspect = actions.add_parser("inspect", help="say what files are, and whether they fit a model")
    inspect.add_argument("files", nargs="+", type=Path, metavar="FILE")
    inspect.set_defaults(command=_inspect)
    change = actions.add_parser("convert", help="write a LoRA in another key style")
    change.add_argument("file", type=Path, metavar="IN")
    change.add_argument("out", type=Path, metavar="OUT")
    change.add_argument("--style", required=True, choices=STYLES, help="key style to write")
    change.set_defaults(command=_convert)
    merge = actions.add_parser("merge", help="add LoRAs to a checkpoint for good")
    merge.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    merge.add_argument("loras", nargs="+", metavar="LORA[:WEIGHT]")
    merge.add_argument("--out", required=True, type=Path, metavar="OUT", help="the .safetensors file to write")
    merge.set_defaults(command=_merge)
    take = actions.add_parser("extract", help="make a LoRA of the difference between two checkpoints")
    take.add_argument("base", type=Path, metavar="BASE")
    take.add_argument("tuned", type=Path, metavar="TUNED")
    take.add_argument("--out", required=True, type=Path, metavar="OUT")
    take.add_argument("--rank", type=int, default=DEFAULT_RANK, metavar="R", help="(default: %(default)s)")
    take.add_argument("--style", choices=STYLES, default="ComfyUI", help="key style to write (default: %(default)s)")
    take.set_defaults(command=_extract)
    for action in (inspect, change):
        action.add_argument(
            "--model", default="ember", metavar="NAME|FILE.toml|DIR", help="model it is for (default: %(default)s)"
        )
    for action in (inspect, change, merge):
        action.add_argument("--alpha", type=float, metavar="A", help="alpha of a file that was saved without one")
    return parser


def _inspect(args: argparse.Namespace) -> int:
    shapes = _model_shapes(args.model)
    failed = False
    for path in args.files:
        try:
            _describe(read_lora(find_lora(str(path), lora_folders()), shapes, args.alpha))
        except CheckpointError as error:
            failed = True
            print(f"{error}")
    return EXIT_FAILED if failed else EXIT_DONE


def _describe(file: LoraFile) -> None:
    ranks = Counter(change.rank for change in file.modules.values())
    scales = sorted({round(change.scale, 4) for change in file.modules.values()})
    print(f"{file.path}: {file.style}, {len(file.modules)} modules")
    print(f"  rank {', '.join(f'{rank} ({count})' for rank, count in ranks.most_common())}; alpha / rank {scales}")
    for label in grouped(sorted(file.modules)):
        print(f"  {label}")
    for key, value in sorted(file.metadata.items()):
        print(f"  {key} = {value[:200]}")
    if note := file.note():
        print(f"  {note}")


def _convert(args: argparse.Namespace) -> int:
    file = read_lora(find_lora(str(args.file), lora_folders()), _model_shapes(args.model), args.alpha)
    convert(file, args.out, args.style)
    print(f"{args.out}: {len(file.modules)} modules as {args.style}")
    if note := file.note():
        print(note)
    return EXIT_DONE


def _merge(args: argparse.Namespace) -> int:
    checkpoint = read_checkpoint(args.checkpoint)
    tensors = dict(checkpoint.tensors)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    sums: dict[str, Tensor] = {}
    for written in args.loras:
        path, weight = parse_lora(written)
        file = read_lora(find_lora(path, lora_folders()), shapes, args.alpha)
        for module, change in file.modules.items():
            deltas = {f"{module}.weight": change.weight_delta(torch.Size(shapes[f"{module}.weight"]), _CPU)}
            deltas[f"{module}.bias"] = change.bias_delta(_CPU) if f"{module}.bias" in tensors else None
            for name, delta in deltas.items():
                if delta is not None:
                    sums[name] = sums.get(name, 0.0) + weight * delta
        print(f"{path}: {len(file.modules)} modules at {weight:g}")
        if note := file.note():
            print(note)
    for name, total in sums.items():
        tensors[name] = (tensors[name].float() + total).to(tensors[name].dtype)
    _save(tensors, args.out, checkpoint.metadata)
    print(f"{args.out}: {len(sums)} of {len(tensors)} tensors changed")
    return EXIT_DONE


def _extract(args: argparse.Namespace) -> int:
    if args.rank < 1:
        raise LoraError(f"--rank {args.rank}: at least 1")
    base, tuned = read_checkpoint(args.base).tensors, read_checkpoint(args.tuned).tensors
    differing = compare({n: tuple(t.shape) for n, t in tuned.items()}, {n: tuple(t.shape) for n, t in base.items()})
    if differing.misshapen or len(differing.missing) == len(base):
        raise LoraError(f"{args.tuned} is no other version of {args.base}:\n" + "\n".join(differing.lines()[:12]))
    factors, shares = {}, []
    for module, found, share in extract(base, tuned, args.rank):
        factors[module] = found
        shares.append(share)
    if not factors:
        raise LoraError(f"{args.base} and {args.tuned} have the same matrices: there is nothing to take out")
    metadata = {"rank": str(args.rank), "base": args.base.name, "tuned": args.tuned.name}
    write_factors(args.out, factors, args.style, metadata)
    print(f"{args.out}: {len(factors)} modules, {sum(shares) / len(shares):.1%} of the difference kept")
    return EXIT_DONE


def _save(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str]) -> None:
    partial = path.with_name(path.name + ".partial")
    try:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial, dict(metadata))
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise LoraError(f"{path} cannot be written ({error.strerror or error}): choose another folder") from None


def _model_shapes(model: str) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        transformer = CausalWanTransformer(load_preset(model).transformer)
    return {name: tuple(p.shape) for name, p in transformer.named_parameters()}


_CPU = torch.device("cpu")

if __name__ == "__main__":
    sys.exit(run_command(lambda: main(sys.argv[1:])))
