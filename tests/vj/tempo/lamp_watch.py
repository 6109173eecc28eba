"""Watches one pixel of an X display's memory from a process of its own and tells when its light changed.

`python lamp_watch.py FRAMEBUFFER X Y`: a line "time_ns level" (time.monotonic_ns, 0 or 1) per change, on stdout.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path

XWD_HEADER = struct.Struct(">25I")  # header size first, bytes per line at index 12, colour count at index 19
LOOK_EVERY_S = 0.0005


def main(framebuffer: str, x: int, y: int) -> None:
    """Watch until killed."""
    with Path(framebuffer).open("rb") as file:
        memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    header = XWD_HEADER.unpack_from(memory)
    place = header[0] + header[19] * 12 + y * header[12] + x * 4
    level = None
    while True:
        pixel = memory[place : place + 3]
        is_on = min(pixel) > 200
        is_off = max(pixel) < 50
        if (is_on or is_off) and is_on != level:
            level = is_on
            sys.stdout.write(f"{time.monotonic_ns()} {int(is_on)}\n")
            sys.stdout.flush()
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
