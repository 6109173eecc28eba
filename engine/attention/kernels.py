"""The kernels of softmax attention: which of them this machine has, by capability, and how each is called.

Packages are used when they are there; their absence, or a version with other names, is a sentence and nothing more.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from engine.attention.split_kv import AttendWithSums, attend_split, cudnn_with_sums

HALVES = (torch.bfloat16, torch.float16)
SPLITS = (2, 3, 5)  # parts of the keys that are worth a try
Attend = Callable[[Tensor, Tensor, Tensor], Tensor]  # q (B, L, N, D), k, v (B, S, N, D) -> (B, L, N, D)

# package -> what it is called when it is installed, for versions
PACKAGES = {
    "flash2": ("flash_attn", "flash_attn"),
    "flash3": ("flash_attn_interface", "flash_attn_3"),
    "flash4": ("flash_attn.cute", "flash_attn_4"),
}
LOAD_ERRORS = (ImportError, OSError, AttributeError, RuntimeError)  # seen of packages built for another torch


@dataclass(frozen=True)
class Kernel:
    """One way to attend, exact to rounding."""

    name: str
    attend: Attend
    compiles: bool = False  # seconds at its first call


@dataclass(frozen=True)
class Capability:
    """What decides which kernels run: never the device's name."""

    kind: str  # of torch.device
    major: int = 0
    minor: int = 0

    @staticmethod
    def of(device: torch.device) -> Capability:
        """That of a device; AMD's, which PyTorch calls CUDA too, number theirs otherwise and count as none."""
        if device.type != "cuda" or torch.version.hip is not None:
            return Capability("hip" if device.type == "cuda" else device.type)
        return Capability("cuda", *torch.cuda.get_device_capability(device))

    def is_at_least(self, major: int, minor: int) -> bool:
        """Whether it is CUDA of this compute capability or a later one."""
        return self.kind == "cuda" and (self.major, self.minor) >= (major, minor)


def plain(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """PyTorch's own choice: what runs on a CPU, and what every other kernel is compared with."""
    heads = (x.transpose(1, 2) for x in (q, k, v))
    return functional.scaled_dot_product_attention(*heads, attn_mask=mask).transpose(1, 2)


PLAIN = Kernel("torch", plain)


def kernels_for(capability: Capability, dtype: torch.dtype, head_dim: int) -> Iterator[Kernel]:
    """Yield every kernel that can run here, PyTorch's own choice first."""
    yield PLAIN
    if capability.kind != "cuda" or dtype not in HALVES or head_dim % 8 or head_dim > 256:
        return
    if capability.major >= 8:
        yield Kernel("cudnn", _cudnn)
        yield from (Kernel(f"cudnn split {n}", _split(cudnn_with_sums, n)) for n in SPLITS)
        yield from _flash2()
    if capability.major == 9:
        yield from _flash3()
    if capability.major in (9, 10, 11) and head_dim <= 128:
        yield from _flash4()


def usual(capability: Capability, dtype: torch.dtype) -> str:
    """The kernel's name to take where nothing has been measured."""
    return "cudnn" if capability.kind == "cuda" and capability.major >= 9 and dtype in HALVES else PLAIN.name


def package_versions() -> dict[str, str]:
    """The attention packages that are installed, and which version each is; nothing is imported."""
    versions = {}
    for name, (module, distribution) in PACKAGES.items():
        if not _is_there(module):
            continue
        try:
            versions[name] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "of unknown version"
    return versions


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # the package around it is missing, or half there
        return False


def _cudnn(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
        return plain(q, k, v)


def _split(attend: AttendWithSums, splits: int) -> Attend:
    return functools.partial(attend_split, splits=splits, attend=attend)


def _flash2() -> Iterator[Kernel]:
    function = _function("flash2")
    if function is not None:
        yield Kernel("flash2", lambda q, k, v: _outcome(function(q, k, v)))


def _flash3() -> Iterator[Kernel]:
    function = _function("flash3")
    if function is not None:
        yield Kernel("flash3", lambda q, k, v: _outcome(function(q, k, v)))
        for splits in SPLITS:  # its own merge, in the kernel
            yield Kernel(f"flash3 split {splits}", functools.partial(_flash3_split, function, splits))


def _flash3_split(function: Callable[..., object], splits: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return _outcome(function(q, k, v, num_splits=splits))


def _flash4() -> Iterator[Kernel]:
    function = _function("flash4")
    if function is not None:
        yield Kernel("flash4", lambda q, k, v: _outcome(function(q, k, v)), compiles=True)


def flash3_function() -> Callable[..., object] | None:
    """FlashAttention 3's function where the package is, which takes float8 too."""
    return _function("flash3")


def _function(name: str) -> Callable[..., object] | None:
    module = PACKAGES[name][0]
    if not _is_there(module):
        return None
    try:
        return importlib.import_module(module).flash_attn_func
    except LOAD_ERRORS:
        return None


def _outcome(answer: object) -> Tensor:
    """The outcome: some versions give the sums beside it, asked or not."""
    outcome = answer[0] if isinstance(answer, tuple) else answer
    assert isinstance(outcome, Tensor)
    return outcome
