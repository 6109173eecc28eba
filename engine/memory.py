"""Memory of the device a model plays on: how much is used and free, and what to do when there is none left.

Imports no torch: asks the one that is loaded, if any. Stepping down: caches are given back and the chunk tried again;
then the engine is started anew with the model's light decoder, if it names one; then with smaller and smaller pictures.
Fewer denoising steps would not help: they follow each other in the same memory (/vj/model/step_list saves time).
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from types import ModuleType

_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate memory")
_KIB = 1024
ROOM_SHARE = 1.5  # times what is wanted must be free: what plays must not run out of memory


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is full, of the computer or of its GPU."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError | OSError) and any(words in text for words in _WORDS)


def free_caches() -> None:
    """Give back what is kept for later only."""
    gc.collect()
    if (torch := _torch_with_gpu()) is not None:
        torch.cuda.empty_cache()


def memory_of_engine() -> tuple[int, int]:
    """Bytes this process uses on its device, and bytes free there for another; 0, 0 where nobody says."""
    if (torch := _torch_with_gpu()) is not None:
        free, _ = torch.cuda.mem_get_info()
        return torch.cuda.memory_reserved(), free
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0, 0
    return pages * os.sysconf("SC_PAGE_SIZE"), free_memory()


def check_room(wanted_bytes: int) -> None:
    """Raise MemoryError with a sentence when so much would not fit beside what plays."""
    _, free_bytes = memory_of_engine()
    if 0 < free_bytes < ROOM_SHARE * wanted_bytes:
        free = f"{free_bytes / 1e9:.1f} GB of memory are free"
        raise MemoryError(f"{free}, {ROOM_SHARE * wanted_bytes / 1e9:.1f} GB are needed for a second cache")


def free_memory() -> int:
    """Bytes of the computer's memory that a new process may have; 0 where nobody says."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * _KIB for line in lines if line.startswith("MemAvailable:")), 0)


def _torch_with_gpu() -> ModuleType | None:
    torch = sys.modules.get("torch")
    return torch if torch is not None and torch.cuda.is_initialized() else None
