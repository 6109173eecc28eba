"""The few GL objects the renderer is made of: shader programs and textures that can be drawn into.

Needs a current context (OpenGL 3.3 core or ES 3.0) for every call; knows nothing of frames, windows or parameters.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from importlib import resources

import numpy as np
import OpenGL

# every checked call asks the driver for its error state: measured as half of the time of a small frame
OpenGL.ERROR_CHECKING = False
from OpenGL import GL  # noqa: E402  (the switch above acts only before this import)

DESKTOP_HEADER = "#version 330 core\n"
VERTICES = "triangle.vert.glsl"
ES_HEADER = "#version 300 es\nprecision highp float;\nprecision highp int;\nprecision highp sampler2D;\n"


class ShaderError(RuntimeError):
    """A shader this driver does not take; `words` are the driver's."""

    def __init__(self, name: str, words: str) -> None:
        self.words = words
        super().__init__(f"{name}: {words}")


class Program:
    """One fragment shader over the whole target."""

    def __init__(self, name: str, *, is_es: bool, axis: int | None = None, source: str = "") -> None:
        """Compile for desktop GL or ES, with AXIS defined as `axis` where a shader asks for one. Raises ShaderError.

        `source` is the fragment shader without its first lines; empty = the file of that name in shaders/.
        """
        self._name = name
        header = ES_HEADER if is_es else DESKTOP_HEADER
        header += "" if axis is None else f"#define AXIS {axis}\n"
        self._id = GL.glCreateProgram()
        file = f"{name}.frag.glsl"
        stages = (
            (GL.GL_VERTEX_SHADER, VERTICES, _shader_text(VERTICES)),
            (GL.GL_FRAGMENT_SHADER, file, source or _shader_text(file)),
        )
        try:
            for kind, stage, text in stages:
                shader = _compile(kind, stage, header + text)
                GL.glAttachShader(self._id, shader)
                GL.glDeleteShader(shader)
            GL.glLinkProgram(self._id)
            if not GL.glGetProgramiv(self._id, GL.GL_LINK_STATUS):
                raise ShaderError(f"shader {name}", _text(GL.glGetProgramInfoLog(self._id)))
        except ShaderError:
            GL.glDeleteProgram(self._id)
            raise
        self._places: dict[str, int] = {}

    def use(self) -> None:
        """Make this the program of the next draw and of the setters."""
        GL.glUseProgram(self._id)

    def set_float(self, name: str, *values: float) -> None:
        """Set a float (one value), a vec2 (two values) or a vec4 (four values)."""
        if len(values) == 1:
            GL.glUniform1f(self._place(name), values[0])
        elif len(values) == 2:
            GL.glUniform2f(self._place(name), values[0], values[1])
        else:
            GL.glUniform4f(self._place(name), *values)

    def set_matrix(self, name: str, rows: tuple[float, ...]) -> None:
        """Set a mat3 from nine numbers, row after row."""
        # turned here: OpenGL ES 2 knew no other order of columns, and drivers of ES 3 remember it
        GL.glUniformMatrix3fv(self._place(name), 1, GL.GL_FALSE, np.array(rows, np.float32).reshape(3, 3).T.copy())

    def set_int(self, name: str, *values: int) -> None:
        """Set an int, a bool, a sampler (one value) or an ivec2 (two values)."""
        if len(values) == 1:
            GL.glUniform1i(self._place(name), values[0])
        else:
            GL.glUniform2i(self._place(name), values[0], values[1])

    def delete(self) -> None:
        """Free the program."""
        GL.glDeleteProgram(self._id)

    def _place(self, name: str) -> int:
        if name not in self._places:
            self._places[name] = GL.glGetUniformLocation(self._id, name)
        return self._places[name]


def _shader_text(file: str) -> str:
    return resources.files("vj.output").joinpath("shaders", file).read_text("utf-8")


def _compile(kind: int, name: str, text: str) -> int:
    shader = GL.glCreateShader(kind)
    GL.glShaderSource(shader, text)
    GL.glCompileShader(shader)
    if not GL.glGetShaderiv(shader, GL.GL_COMPILE_STATUS):
        words = _text(GL.glGetShaderInfoLog(shader))
        GL.glDeleteShader(shader)
        raise ShaderError(name, words)
    return shader


def _text(log: bytes | str) -> str:
    return log.decode(errors="replace") if isinstance(log, bytes) else log


FORMATS = {
    8: (GL.GL_RGBA8, GL.GL_UNSIGNED_BYTE),
    10: (GL.GL_RGB10_A2, GL.GL_UNSIGNED_INT_2_10_10_10_REV),
    16: (GL.GL_RGBA16F, GL.GL_HALF_FLOAT),
}
"""Bits of a channel: how GL keeps it, and what an upload would be made of."""


@dataclass(frozen=True)
class Surface:
    """A texture of one size with a framebuffer around it. Sampled by whole pixels unless it is made smooth."""

    width: int
    height: int
    texture: int
    framebuffer: int

    @classmethod
    def create(cls, width: int, height: int, *, bits: int, is_smooth: bool = False) -> Surface:
        """Make one with 8 or 10 bits a channel, or with 16: floating-point numbers."""
        inner, kind = FORMATS[bits]
        texture = int(GL.glGenTextures(1))
        GL.glBindTexture(GL.GL_TEXTURE_2D, texture)
        for name in (GL.GL_TEXTURE_MIN_FILTER, GL.GL_TEXTURE_MAG_FILTER):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, name, GL.GL_LINEAR if is_smooth else GL.GL_NEAREST)
        for name in (GL.GL_TEXTURE_WRAP_S, GL.GL_TEXTURE_WRAP_T):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, name, GL.GL_CLAMP_TO_EDGE)
        GL.glTexImage2D(GL.GL_TEXTURE_2D, 0, inner, width, height, 0, GL.GL_RGBA, kind, None)
        framebuffer = int(GL.glGenFramebuffers(1))
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, framebuffer)
        GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, GL.GL_COLOR_ATTACHMENT0, GL.GL_TEXTURE_2D, texture, 0)
        if bits == 16 and GL.glCheckFramebufferStatus(GL.GL_FRAMEBUFFER) != GL.GL_FRAMEBUFFER_COMPLETE:
            cls(width, height, texture, framebuffer).delete()  # OpenGL ES draws into floats by an extension alone
            return cls.create(width, height, bits=10, is_smooth=is_smooth)
        return cls(width, height, texture, framebuffer)

    def upload(self, pixels: np.ndarray) -> None:
        """Replace all pixels. `pixels`: (H, W, 4) uint8, contiguous, of this size."""
        GL.glBindTexture(GL.GL_TEXTURE_2D, self.texture)
        GL.glTexSubImage2D(
            GL.GL_TEXTURE_2D,
            0,
            0,
            0,
            self.width,
            self.height,
            GL.GL_RGBA,
            GL.GL_UNSIGNED_BYTE,
            ctypes.c_void_p(pixels.ctypes.data),
        )

    def bind(self, unit: int) -> None:
        """Offer the texture at a texture unit."""
        GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self.texture)

    def draw_into(self) -> None:
        """Make this the target of the next draw."""
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self.framebuffer)
        GL.glViewport(0, 0, self.width, self.height)

    def delete(self) -> None:
        """Free texture and framebuffer."""
        GL.glDeleteFramebuffers(1, [self.framebuffer])
        GL.glDeleteTextures([self.texture])


class SurfaceShelf:
    """Surfaces by name. Belongs to the thread of the GL context."""

    def __init__(self) -> None:
        self._held: dict[str, Surface] = {}

    def sized(self, name: str, width: int, height: int, *, bits: int, is_smooth: bool = False) -> Surface:
        """Return the named surface in this size; it is remade only when the size changes."""
        held = self._held.get(name)
        if held is None or (held.width, held.height) != (width, height):
            self.delete(name)
            held = self._held[name] = Surface.create(width, height, bits=bits, is_smooth=is_smooth)
        return held

    def get(self, name: str) -> Surface | None:
        """Return the named surface as it is; None = there is none."""
        return self._held.get(name)

    def delete(self, name: str) -> None:
        """Free one, if it is there."""
        held = self._held.pop(name, None)
        if held is not None:
            held.delete()

    def clear(self) -> None:
        """Free all."""
        for name in list(self._held):
            self.delete(name)
