"""`verify`: recompute golden files on this machine and show the largest error of every tensor.

float32 may be 1e-4 off (1e-5 is usual), indices not at all. bfloat16 is exact on a CPU with the reference's kernels;
others round elsewhere, so rounding of rms up to 3 ulp passes, while an element that stands out of it does not.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.golden import Golden, GoldenError, Recomputed, read_golden, recompute, series_of, unused_config_keys
from engine.weight_files import CheckpointError

FLOAT32_TOLERANCE = 1e-4  # absolute
# bfloat16 in units in the last place of the value, or of the tensor's rms where the value is smaller. Seen with the
# kernels of older CPUs: rms 1.5, largest 9 (6 times the rms). One element altered in a tensor that is else exact has
# the largest error of sqrt(elements) times the rms.
BFLOAT16_RMS_ULP = 3.0
BFLOAT16_ALWAYS_ULP = 2.0
BFLOAT16_LARGEST_PER_RMS = 8.0
_BFLOAT16_BITS = 8  # of the significand, the hidden one included
_REQUIRED = {
    "causal_dit": ("fp32.out",),
    "wan_vae": ("out.pixels_raw", "out.latent"),
    "vace_dit": ("fp32.guided", "fp32.unguided"),
}


@dataclass(frozen=True)
class Measure:
    """How far one recomputed tensor is from the expected one; `problem` is a fault the largest error does not show."""

    name: str
    way: str  # e.g. the chunking, or nothing
    error: float
    allowed: float
    unit: str  # "" = absolute, "ulp"
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether the error is within tolerance."""
        return not self.problem and self.error <= self.allowed

    @property
    def label(self) -> str:
        """The tensor's name and the way it was made."""
        return f"{self.name}, {self.way}" if self.way else self.name


@dataclass(frozen=True)
class VerifyReport:
    """The outcome for one file. `problems` are sentences and make the file fail, `notes` do not."""

    path: Path
    kind: str
    measures: tuple[Measure, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every expected tensor was recomputed within tolerance."""
        return not self.problems and bool(self.measures) and all(measure.passed for measure in self.measures)

    def lines(self, *, every_tensor: bool = False) -> list[str]:
        """Return the report for people: one row per series (or per tensor), then what is wrong, then the verdict."""
        lines = [f"{self.path}" + (f"  ({self.kind})" if self.kind else "")]
        rows = [[m] for m in self.measures] if every_tensor else _by_series(self.measures)
        if rows:
            lines.append(f"  {'tensor':34}{'count':>6}{'largest error':>16}{'allowed':>12}")
        lines += [_row(row, every_tensor=every_tensor) for row in rows]
        lines += [f"  {sentence}" for sentence in (*self.notes, *self.problems)]
        lines += [f"  {_complaint(measure)}" for measure in self.measures if not measure.passed]
        lines.append(f"  passed, {len(self.measures)} comparisons" if self.passed else "  FAILED")
        return lines


def verify_file(path: Path | str) -> VerifyReport:
    """Recompute everything a golden file expects. Never raises for a bad file: the report says what is wrong."""
    path = Path(path)
    measures: list[Measure] = []
    kind = ""
    notes: list[str] = []
    try:
        golden = read_golden(path)
        kind = golden.kind
        if unused := unused_config_keys(golden):
            notes.append(f"note: {', '.join(unused)} in its config is not used")
        made = set()
        series = {series_of(name) for name in golden.expected}
        problems = []
        with torch.inference_mode():
            for part in recompute(golden):
                made.add(part.name)
                if part.name in golden.expected:
                    measures.append(measure(part, golden.expected[part.name]))
                elif part.name in _required(golden) or series_of(part.name) in series:
                    problems.append(f"the expected tensor {part.name} is missing in the file")
        unknown = sorted(golden.expected.keys() - made)
        problems += [f"the expected tensor {name} is none this file can be checked for" for name in unknown]
    except CheckpointError as error:
        problems = [str(error).removeprefix(f"{path}: ")]
    except GoldenError as error:
        problems = [str(error)]
    except (ValueError, RuntimeError, MemoryError, ArithmeticError) as error:
        # A config that is possible in itself but not with these inputs, or too large for this machine
        problems = [f"it cannot be recomputed: {str(error).splitlines()[0] if str(error) else type(error).__name__}"]
    return VerifyReport(path, kind, tuple(measures), tuple(problems), tuple(notes))


def measure(part: Recomputed, expected: Tensor) -> Measure:
    """Compare one recomputed tensor with the expected one."""
    problem = ""
    if expected.shape != part.value.shape:
        problem = f"the file's has the shape {tuple(expected.shape)}, the recomputed one {tuple(part.value.shape)}"
    elif expected.is_complex() or not bool(expected.double().isfinite().all()):
        problem = "the file's holds values that are no finite real numbers (NaN?)"
    if problem:
        return Measure(part.name, part.way, float("inf"), 0.0, "", problem)
    # NaN in what was recomputed must not pass as "not larger".
    difference = (part.value.double() - expected.double()).abs().nan_to_num(nan=float("inf"))
    if series_of(part.name).endswith(".idx"):
        return Measure(part.name, part.way, difference.max().item(), 0.0, "")
    if not part.name.startswith("bf16."):
        return Measure(part.name, part.way, difference.max().item(), FLOAT32_TOLERANCE, "")
    difference /= _bfloat16_ulp(expected.double())
    rms = difference.square().mean().sqrt().item()
    if rms > BFLOAT16_RMS_ULP:
        problem = f"its rms error is {rms:.3g} ulp, {BFLOAT16_RMS_ULP:g} ulp is allowed"
    allowed = BFLOAT16_ALWAYS_ULP + BFLOAT16_LARGEST_PER_RMS * min(rms, BFLOAT16_RMS_ULP)
    return Measure(part.name, part.way, difference.max().item(), allowed, "ulp", problem)


def main(argv: Sequence[str]) -> int:
    """Run the command line `verify FILE...`; return 0 if all files pass and 1 if one fails (wrong use exits with 2)."""
    parser = argparse.ArgumentParser(
        prog="vj verify",
        description="Recompute golden files on this machine and show the largest error of each tensor.",
        epilog="Exit code: 0 all within tolerance, 1 not, 2 wrong use.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="a golden file (.safetensors)")
    parser.add_argument("--every-tensor", action="store_true", help="one row per tensor instead of one per series")
    arguments = parser.parse_args(list(argv))
    # Golden models are tiny: several threads would wait for each other longer than they compute.
    torch.set_num_threads(1)
    reports = []
    for path in arguments.files:
        report = verify_file(path)
        reports.append(report)
        sys.stdout.write("\n".join(report.lines(every_tensor=arguments.every_tensor)) + "\n")
    if len(reports) > 1:
        failed = sum(not report.passed for report in reports)
        sys.stdout.write(f"{len(reports) - failed} of {len(reports)} files passed\n")
    return 0 if all(report.passed for report in reports) else 1


def _required(golden: Golden) -> tuple[str, ...]:
    has_bfloat16 = any(name.startswith("bf16.") for name in golden.expected)
    return _REQUIRED[golden.kind] + (("bf16.out",) if has_bfloat16 else ())


def _bfloat16_ulp(expected: Tensor) -> Tensor:
    """Return the spacing of bfloat16 at each value, at the tensor's rms where the value is smaller."""
    rms = expected.square().mean().sqrt()
    _, exponent = torch.frexp(expected.abs().clamp(min=rms))
    return torch.ldexp(torch.ones_like(expected), exponent - _BFLOAT16_BITS)


def _by_series(measures: Sequence[Measure]) -> list[list[Measure]]:
    rows: dict[str, list[Measure]] = {}
    for one in measures:
        rows.setdefault(series_of(one.name), []).append(one)
    return list(rows.values())


def _row(row: Sequence[Measure], *, every_tensor: bool) -> str:
    worst = max(row, key=lambda one: (not one.passed, one.error))
    name = worst.label if every_tensor else series_of(worst.name)
    unit = f" {worst.unit}" if worst.unit else ""
    return f"  {name:34}{len(row):>6}{worst.error:>12.1e}{unit:4}{worst.allowed:>8.3g}{unit:4}".rstrip()


def _complaint(bad: Measure) -> str:
    if bad.problem:
        return f"{bad.label}: {bad.problem}"
    unit = f" {bad.unit}" if bad.unit else ""
    return f"{bad.label}: the largest error is {bad.error:.3g}{unit}, {bad.allowed:.3g}{unit} is allowed"
