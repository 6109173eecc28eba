"""What the first output shows, read back while it is drawn and never waited for: for recorder and senders.

Owns its GL objects; needs a current context for every call. Knows nothing of who wants the pictures.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from OpenGL import GL

from vj.output.gl_objects import Surface, SurfaceShelf
from vj.output.tap_writing import Copying, TapWriter

BUFFERS = 4  # one is drawn into, one on its way, one copied, one in reserve
CHANNELS = 4


@dataclass
class _Readback:
    """One buffer and what it is at."""

    buffer: int
    fence: object | None = None  # while the card writes into it
    copying: Copying | None = None  # while the writer reads it


class OutputTap:
    """Belongs to the thread of the GL context of the output. While nobody wants pictures it holds and does nothing."""

    def __init__(self, path: Path) -> None:
        """`path` is where the ring of pictures is made (`engine/video_in/input_ring.py`)."""
        self.is_wanted = False  # set by whoever knows; taken in at the next refresh
        self.missed = 0  # refreshes that were not read because the ones before were still on their way
        self._path = path
        self._size = (0, 0)
        self._surfaces = SurfaceShelf()
        self._free: list[_Readback] = []
        self._busy: list[_Readback] = []  # oldest first
        self._moments: dict[int, int] = {}  # of what each busy buffer holds (time.monotonic_ns)
        self._writer: TapWriter | None = None

    @property
    def problem(self) -> str:
        """Why there are no pictures although somebody wants them: a sentence, or nothing."""
        return self._writer.problem if self._writer is not None else ""

    def look(self) -> bool:
        """Take on what is under way, and say whether this refresh is to be read. Once per refresh; never waits."""
        if not self.is_wanted and self._writer is None:
            return False
        self._move_on()
        if self.is_wanted:
            return True
        if not self._busy:
            self.release()
        return False

    def surface(self, size: tuple[int, int]) -> Surface:
        """Return what to draw on, in 8 bits, when nothing else is drawn on before the window; (width, height)."""
        return self._surfaces.sized("drawn", *size, bits=8)

    def take(self, canvas: Surface, now_ns: int, shown_on: int | None = None) -> None:
        """Have a finished canvas read that was drawn for `now_ns` (time.monotonic_ns).

        `shown_on` is a framebuffer of its size to bring it onto; None = it has been shown already.
        """
        if shown_on is not None:
            _copy(canvas, shown_on)
        if self._writer is None:
            self._writer = TapWriter(self._path)
        size = (canvas.width, canvas.height)
        if size != self._size and not self._resize(size):
            return
        if not self._free:
            self.missed += 1
            return
        readback = self._free.pop()
        self._read(canvas, readback)
        self._busy.append(readback)
        self._moments[readback.buffer] = now_ns

    def release(self) -> None:
        """Free every GL object and take the ring away; what is still copied is waited for, some milliseconds."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for readback in self._busy:
            if readback.copying is not None:
                self._unmap(readback)
        if self._free or self._busy:
            GL.glDeleteBuffers(len(self._free + self._busy), [one.buffer for one in (*self._free, *self._busy)])
        self._free, self._busy, self._size = [], [], (0, 0)
        self._surfaces.clear()

    # -- the way of one picture --------------------------------------------------------------------------------------

    def _read(self, canvas: Surface, readback: _Readback) -> None:
        """Ask the card for it, in 8 bits a channel: the conversion of what has more is not left to the driver."""
        width, height = self._size
        if canvas is not self._surfaces.get("drawn"):
            narrow = self._surfaces.sized("narrow", width, height, bits=8)
            _copy(canvas, narrow.framebuffer)
            canvas = narrow
        GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, canvas.framebuffer)
        GL.glBindBuffer(GL.GL_PIXEL_PACK_BUFFER, readback.buffer)
        GL.glReadPixels(0, 0, width, height, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, ctypes.c_void_p(0))
        GL.glBindBuffer(GL.GL_PIXEL_PACK_BUFFER, 0)
        readback.fence = GL.glFenceSync(GL.GL_SYNC_GPU_COMMANDS_COMPLETE, 0)

    def _move_on(self) -> None:
        """Hand what has come to the writer, in order, and take back what it has done with."""
        for readback in self._busy:
            if readback.fence is None:
                continue
            if GL.glClientWaitSync(readback.fence, GL.GL_SYNC_FLUSH_COMMANDS_BIT, 0) == GL.GL_TIMEOUT_EXPIRED:
                break
            GL.glDeleteSync(readback.fence)
            readback.fence = None
            self._hand_over(readback)
        while self._busy and self._busy[0].copying is not None and self._busy[0].copying.is_done:
            done = self._busy.pop(0)
            self._unmap(done)
            self._free.append(done)

    def _hand_over(self, readback: _Readback) -> None:
        width, height = self._size
        GL.glBindBuffer(GL.GL_PIXEL_PACK_BUFFER, readback.buffer)
        size = width * height * CHANNELS
        address = GL.glMapBufferRange(GL.GL_PIXEL_PACK_BUFFER, 0, size, GL.GL_MAP_READ_BIT)
        GL.glBindBuffer(GL.GL_PIXEL_PACK_BUFFER, 0)
        memory = (ctypes.c_uint8 * size).from_address(int(address))
        pixels = np.frombuffer(memory, np.uint8).reshape(height, width, CHANNELS)[::-1]  # the card counts from below
        readback.copying = Copying(pixels, self._moments.pop(readback.buffer))
        self._writer.put(readback.copying)

    def _unmap(self, readback: _Readback) -> None:
        readback.copying = None
        GL.glBindBuffer(GL.GL_PIXEL_PACK_BUFFER, readback.buffer)
        GL.glUnmapBuffer(GL.GL_PIXEL_PACK_BUFFER)
        GL.glBindBuffer(GL.GL_PIXEL_PACK_BUFFER, 0)

    def _resize(self, size: tuple[int, int]) -> bool:
        """Make buffers for another size, once nothing is under way any more; say whether they are there."""
        if self._busy:
            return False
        if self._free:
            GL.glDeleteBuffers(len(self._free), [one.buffer for one in self._free])
        self._size = size
        self._free = [_Readback(int(buffer)) for buffer in np.atleast_1d(GL.glGenBuffers(BUFFERS))]
        for readback in self._free:
            GL.glBindBuffer(GL.GL_PIXEL_PACK_BUFFER, readback.buffer)
            GL.glBufferData(GL.GL_PIXEL_PACK_BUFFER, size[0] * size[1] * CHANNELS, None, GL.GL_STREAM_READ)
        GL.glBindBuffer(GL.GL_PIXEL_PACK_BUFFER, 0)
        return True


def _copy(canvas: Surface, framebuffer: int) -> None:
    """Bring a surface onto a framebuffer of its size, as it is."""
    size = (0, 0, canvas.width, canvas.height)
    GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, canvas.framebuffer)
    GL.glBindFramebuffer(GL.GL_DRAW_FRAMEBUFFER, framebuffer)
    GL.glBlitFramebuffer(*size, *size, GL.GL_COLOR_BUFFER_BIT, GL.GL_NEAREST)
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, framebuffer)
