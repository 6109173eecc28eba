"""The effects that are ready to be drawn: read and compiled anew when their files change, the last good one kept.

`look` reads disks and compiles: it belongs to a thread and a context of its own where a show runs, and everything else
to the thread that draws. Both contexts share their objects.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from OpenGL import GL

from vj.effects.chain import EffectUse, knob_labels
from vj.effects.isf_file import Effect, EffectFileError, read_effect
from vj.effects.isf_glsl import fault_line, fragment_shader
from vj.effects.notes import EffectNote
from vj.effects.params import DISSOLVE
from vj.effects.shipped import SHIPPED, SHIPPED_FADES
from vj.output.gl_objects import Program, ShaderError, Surface
from vj.shipped_files import CROSSFADES, EFFECTS, find_file, list_files
from vj.written_files import FileError

WARM_SIZE = 8  # pixels: a program is drawn with once before it is needed, as drivers finish their work only then
FADE_PREFIX = "fade/"  # before the name of a crossfade
FIRST = frozenset({f"{FADE_PREFIX}{DISSOLVE}"})  # of those that nobody has asked for yet


@dataclass(frozen=True)
class ReadyEffect:
    """One that compiled."""

    effect: Effect
    programs: tuple[Program, ...]  # one for each of its passes
    path: Path


@dataclass(frozen=True)
class _Seen:
    """A file as it was looked at last."""

    path: Path
    stamp: tuple[int, int]  # when it was written, and how long it is
    problem: str = ""


@dataclass
class _Wanted:
    """What the drawing thread asks for; swapped whole."""

    names: frozenset[str] = frozenset()  # what is compiled before all else
    files: Mapping[str, str] = field(default_factory=dict)  # by slot: what the performer wrote


class EffectLibrary:
    """What is there of each effect. See the module for which thread may call what."""

    def __init__(self, *, is_es: bool) -> None:
        self._is_es = is_es
        self.has_news = threading.Event()  # something is wanted that was not before: for whoever looks
        self.is_leaving = False  # nothing more is compiled
        self._wanted = _Wanted()
        self._ready: dict[str, ReadyEffect] = {}
        self._seen: dict[str, _Seen] = {}
        self._replaced: list[Program] = []
        self._warm: tuple[Surface, int] | None = None

    def want(self, uses: tuple[EffectUse, ...]) -> None:
        """Take in which files the users' slots ask for. The thread that draws."""
        held = self._wanted
        names = held.names.union(use.name for use in uses)  # one that is on for a moment is wanted again
        files = {use.name: use.file for use in uses if use.file}
        if (names, files) != (held.names, held.files):
            self._wanted = _Wanted(names, files)
            self.has_news.set()

    def find(self, name: str) -> ReadyEffect | None:
        """Return what is ready under a name, None while nothing is. The thread that draws; never waits."""
        return self._ready.get(name)

    def notes(self) -> tuple[EffectNote, ...]:
        """Say what each slot plays, and what is wrong with any file. Any thread."""
        names = dict.fromkeys([*self._wanted.files, *(n for n, seen in dict(self._seen).items() if seen.problem)])
        return tuple(self._note(name) for name in names)

    def look(self, *, at_most: int = 1 << 10) -> int:
        """Look at every file and compile what is new: what is on, and `at_most` of the rest. Return how many it were.

        Needs a current context that shares its objects with the one that draws.
        """
        wanted = self._wanted
        places: dict[str, str | Path] = {
            **{name: path for name, path in list_files(EFFECTS).items() if name in SHIPPED},
            **{f"{FADE_PREFIX}{name}": path for name, path in list_files(CROSSFADES).items() if name in SHIPPED_FADES},
            **wanted.files,
        }
        for gone in self._seen.keys() - places.keys():
            self._forget(gone)
        done = 0
        for name, place in sorted(places.items(), key=lambda item: (item[0] not in wanted.names, item[0] not in FIRST)):
            if self.is_leaving or (done >= at_most and name not in wanted.names):
                break
            done += self._look_at(name, place)
        return done

    def leave(self) -> None:
        """Free what looking needed. Whoever looks, in the end."""
        if self._warm is not None:
            surface, vertices = self._warm
            surface.delete()
            GL.glDeleteVertexArrays(1, [vertices])
            self._warm = None

    def release(self) -> None:
        """Free every program. The thread that draws, when nobody looks any more."""
        for program in (*self._replaced, *(one for ready in self._ready.values() for one in ready.programs)):
            program.delete()
        self._ready.clear()
        self._replaced.clear()

    def sweep(self) -> None:
        """Free the programs that others have taken the place of. The thread that draws."""
        while self._replaced:
            self._replaced.pop().delete()

    def compile_once(self, path: Path, effect: Effect) -> None:
        """Try whether a file compiles, and keep nothing of it. Whoever looks. Raises EffectFileError."""
        for index in range(len(effect.passes)):
            self._compiled(path, effect, index).delete()

    # -- whoever looks -------------------------------------------------------------------------------------------

    def _look_at(self, name: str, place: str | Path) -> bool:
        """Read and compile a file if it is new; say whether it was."""
        held = self._seen.get(name)
        path, stamp, problem = _stamp(place)
        if held is not None and (held.path, held.stamp) == (path, stamp) and stamp != (0, 0):
            return False
        if problem:
            self._seen[name] = _Seen(path, stamp, problem)
            return False
        try:
            effect = read_effect(path)
            if effect.is_crossfade != name.startswith(FADE_PREFIX):
                raise EffectFileError(path, "is a crossfade" if effect.is_crossfade else "is no crossfade")
            programs = self._compile_all(path, effect)
        except EffectFileError as error:
            self._seen[name] = _Seen(path, stamp, error.told)
            return True
        except FileError as error:
            self._seen[name] = _Seen(path, stamp, str(error))
            return True
        if len(programs) < len(effect.passes):  # the end has come meanwhile
            self._replaced.extend(programs)
            return False
        before = self._ready.get(name)
        self._ready[name] = ReadyEffect(effect, programs, path)
        self._seen[name] = _Seen(path, stamp)
        if before is not None:
            self._replaced.extend(before.programs)
        return True

    def _compile_all(self, path: Path, effect: Effect) -> tuple[Program, ...]:
        """A program for each pass; fewer when nobody needs them any more. Raises EffectFileError."""
        programs: list[Program] = []
        for index in range(len(effect.passes)):
            if self.is_leaving:
                break
            try:
                programs.append(self._compiled(path, effect, index))
            except EffectFileError:
                self._replaced.extend(programs)
                raise
        return tuple(programs)

    def _compiled(self, path: Path, effect: Effect, index: int) -> Program:
        try:
            program = Program(effect.name, is_es=self._is_es, source=fragment_shader(effect, index))
        except ShaderError as error:
            line, words = fault_line(error.words)
            raise EffectFileError(path, words, line) from None
        surface, vertices = self._warm_target()
        surface.draw_into()
        GL.glBindVertexArray(vertices)
        program.use()
        GL.glDrawArrays(GL.GL_TRIANGLES, 0, 3)
        GL.glFinish()
        return program

    def _warm_target(self) -> tuple[Surface, int]:
        if self._warm is None:
            self._warm = (Surface.create(WARM_SIZE, WARM_SIZE, bits=10), int(GL.glGenVertexArrays(1)))
        return self._warm

    def _forget(self, name: str) -> None:
        del self._seen[name]
        ready = self._ready.pop(name, None)
        if ready is not None:
            self._replaced.extend(ready.programs)

    def _note(self, name: str) -> EffectNote:
        ready, seen = self._ready.get(name), self._seen.get(name)
        problem = seen.problem if seen is not None else ""
        if problem and ready is not None:
            is_same = seen is not None and ready.path == seen.path
            problem += "; it plays on as it was" if is_same else f"; {ready.path.name} plays on"
        return EffectNote(name, ready.path.name if ready else "", knob_labels(ready.effect) if ready else (), problem)


def _stamp(place: str | Path) -> tuple[Path, tuple[int, int], str]:
    """Where a file is, what tells it from a later one, and why it cannot be had; (0, 0) = look again."""
    try:
        path = place if isinstance(place, Path) else find_file(str(Path(place).expanduser()), EFFECTS)
        found = path.stat()
    except FileError as error:
        return error.path, (0, 0), str(error)
    except (OSError, RuntimeError, ValueError) as error:
        return Path(place), (0, 0), f"{place}: cannot be read ({error})"
    return path, (found.st_mtime_ns, found.st_size), ""
