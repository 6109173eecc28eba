"""The Wan autoencoder as it lies on a GPU: channels last, several latents a call, one fused kernel; the same pixels."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.vae.layout import prepare_decoder, put_channels_last
from engine.vae.wan_vae import WanVae, WanVaeConfig


def make_vae() -> WanVae:
    torch.manual_seed(0)
    return WanVae(WanVaeConfig(dim=8)).eval().requires_grad_(False)


@torch.inference_mode()
def test_channels_last_from_end_to_end_changes_nothing() -> None:
    plain = make_vae()
    last = copy.deepcopy(plain)
    put_channels_last(last)
    latents = torch.randn(1, 7, 16, 2, 4)
    one_by_one, state = [], None
    for latent in latents.split(1, dim=1):
        frames, state = plain.decode(latent, state)
        one_by_one.append(frames)
    together, state = [], None
    strides = set()
    handle = last.decoder.upsamples[-1].register_forward_hook(
        lambda *given: strides.add(given[-1].is_contiguous(memory_format=torch.channels_last_3d))
    )
    for chunk in latents.split([3, 3, 1], dim=1):
        frames, state = last.decode(chunk, state)
        together.append(frames)
    handle.remove()
    assert strides == {True}
    assert torch.allclose(torch.cat(one_by_one, 1), torch.cat(together, 1), atol=1e-5)
    pixels = torch.randn(1, 5, 3, 16, 32)
    assert torch.allclose(plain.encode(pixels, None)[0], last.encode(pixels, None)[0], atol=1e-4)


def test_on_a_cpu_everything_stays_as_it_is() -> None:
    vae = make_vae()
    prepare_decoder(vae, torch.device("cpu"), is_fused=True)
    assert vae.decoder.conv1.weight.is_contiguous()
    assert vae.decoder.middle[0].fused is None


def test_the_fused_kernel_gives_the_same_pixels() -> None:
    pytest.importorskip("triton")
    program = Path(__file__).with_name("interpreted_norm.py")
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    errors = json.loads(done.stdout)
    *exact, rounded = errors
    assert max(exact) < 1e-5
    assert rounded < 2**-7  # bfloat16, which the interpreter cuts off instead of rounding
