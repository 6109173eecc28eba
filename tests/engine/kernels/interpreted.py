"""Every Triton kernel beside its plain form, under Triton's interpreter: a program that writes JSON lines.

A process of its own, because the interpreter is chosen when Triton is imported.
"""

import os

os.environ["TRITON_INTERPRET"] = "1"

import itertools
import json
import sys
from pathlib import Path

import torch

from engine.attention.kernels import plain
from engine.golden import stream_output
from engine.kernels.fused_block import fuse
from engine.kernels.plain import PLAIN
from engine.kernels.shaping import FLOAT8, After, Folded, Rows8
from engine.kernels.triton_kernels import TRITON
from engine.model.rope import rotation_table
from engine.quantised.attention import to_float8
from engine.quantised.triton_attention import attend
from engine.quantised.triton_widen import widen

SHAPES = ((1, 2, 2, 48), (2, 1, 3, 30))  # B, F, P, E: widths that are no powers of two
GOLDEN = Path(__file__).resolve().parents[2] / "data" / "golden" / "tiny_causal_dit.safetensors"
DTYPES = (torch.float32, torch.bfloat16)


def random(*shape, dtype=torch.float32, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed + sum(shape))).to(dtype)


def tell(name, made, expected):
    """One line: the largest distance in parts of the root mean square; of narrow numbers how many differ."""
    if isinstance(made, Rows8):
        tell(f"{name} scale", made.scale, expected.scale)
        made, expected = made.values, expected.values
    if made.dtype in (FLOAT8, torch.int8):
        error = (made.float() != expected.float()).double().mean().item()
    else:
        rms = expected.double().square().mean().sqrt()
        error = ((made.double() - expected.double()).abs().max() / rms).item()
    kind = str(made.dtype).removeprefix("torch.")
    sys.stdout.write(json.dumps({"name": name, "kind": kind, "error": error, "shape": list(made.shape)}) + "\n")


def norms(shape, dtype, narrow):
    batch, frames, _, width = shape
    x, y = random(*shape, dtype=dtype), random(*shape, dtype=dtype, seed=1)
    weight, bias = random(width, dtype=dtype, seed=2), random(width, dtype=dtype, seed=3)
    for own in {1, frames}:
        rows = Folded(random(1, own, 6, width, dtype=dtype, seed=4))
        cases = {
            "bare": (None, After()),
            "affine": ((rows, 2), After(weight, bias)),
            "modulated": ((rows, 5), After(modulations=rows, shift=3, scale=4)),
        }
        for name, (gate, after) in cases.items():
            tell(f"norm {name}", TRITON.norm(x, 1e-6, after, narrow), PLAIN.norm(x, 1e-6, after, narrow))
            made = TRITON.add_norm(x, y, gate, 1e-6, after, narrow)
            expected = PLAIN.add_norm(x, y, gate, 1e-6, after, narrow)
            tell(f"add_norm {name} sum", made[0], expected[0])
            tell(f"add_norm {name}", made[1], expected[1])
            tell(f"add {name}", TRITON.add(x, y, gate), PLAIN.add(x, y, gate))


def rotations(dtype):
    """Into slots of a larger cache, from projections that lie side by side."""
    heads, width, grid = 4, 12, (2, 1, 3)
    table = rotation_table(*grid, width)
    length = len(table)
    x = random(2, length, 3 * heads * width, dtype=dtype)[..., heads * width : 2 * heads * width]
    weight = random(heads * width, dtype=dtype, seed=5)
    for turns, out_type in itertools.product((table, None), (dtype, FLOAT8)):
        made, expected = (torch.zeros(2, length + 4, heads, width).to(out_type) for _ in range(2))
        plain, plain_expected = (torch.zeros(2, length, heads, width, dtype=dtype) for _ in range(2))
        TRITON.norm_rotate(x, weight, 1e-6, turns, made[:, 3:-1], plain)
        PLAIN.norm_rotate(x, weight, 1e-6, turns, expected[:, 3:-1], plain_expected)
        tell("norm_rotate", made, expected)
        tell("norm_rotate plain", plain, plain_expected)


def attention():
    """Float8 keys and values, values with the tokens innermost; lengths that fill no block."""
    q, k, v = (to_float8(random(2, length, 3, 40, seed=length)) for length in (5, 150, 151))
    v = v[:, :150].permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    made = attend(q, k, v, torch.float32)
    expected = plain(*(x.float() for x in (q, k, v)))
    distance = ((made - expected).norm() / expected.norm()).item()
    sys.stdout.write(json.dumps({"name": "attention", "kind": "shares", "error": distance, "shape": [5, 150]}) + "\n")


def main():
    torch.set_num_threads(1)
    for shape, dtype, narrow in itertools.product(SHAPES, DTYPES, ("", "fp8", "int8")):
        norms(shape, dtype, narrow)
        x = 3.0 * random(*shape, dtype=dtype)
        x[0, 0, 0, :2] = torch.tensor([60.0, -60.0])
        tell("gelu", TRITON.gelu(x, narrow), PLAIN.gelu(x, narrow))
        if narrow:
            tell("rows8", TRITON.rows8(x, narrow), PLAIN.rows8(x, narrow))
    for dtype in DTYPES:
        rotations(dtype)
    attention()
    sums = torch.randint(-90000, 90000, (3, 70), generator=torch.Generator().manual_seed(6), dtype=torch.int32)
    scale, weight_scale, bias = random(3, 1), random(70, 1), random(70, seed=7)
    tell("widen", widen(sums, scale, weight_scale, bias, torch.float32), sums * scale * weight_scale.t() + bias)
    broken = random(1, 1, 2, 48, dtype=torch.bfloat16)
    broken[0, 0, 0, 3] = torch.tensor(-1, dtype=torch.int16).view(torch.bfloat16)  # a NaN whose bits are all set
    kept = TRITON.add(broken, broken, None).isnan().sum().item()
    sys.stdout.write(
        json.dumps({"name": "not a number", "kind": "absolute", "error": abs(kept - 1), "shape": [1]}) + "\n"
    )
    with torch.inference_mode():
        made, expected = stream_output(GOLDEN, torch.device("cpu"), torch.float32, lambda model: fuse(model, TRITON))
    error = (made.double() - expected.double()).abs().max().item()
    sys.stdout.write(
        json.dumps({"name": "golden", "kind": "absolute", "error": error, "shape": list(made.shape)}) + "\n"
    )


if __name__ == "__main__":
    main()
