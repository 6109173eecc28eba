"""Texts that come by command and take a moment: those of the prompt pads, and the files of the LoRA slots.

Belongs to the chunk loop's thread. Knows nothing of what a text means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.messages import Command, Done


class TextBook(Protocol):
    """Whatever makes a text playable beside the stream: the prompt book, the LoRA mixer."""

    def request(self, text: str) -> None:
        """Begin; returns at once."""
        ...

    def is_ready(self, text: str) -> bool:
        """Whether a chunk may play the text; never waits."""
        ...

    def failure(self, text: str) -> str:
        """Why a text cannot be played; empty otherwise."""
        ...


class FileBook(TextBook, Protocol):
    """Whatever makes files playable, and knows something about them."""

    def note(self, text: str) -> str:
        """What a file is; empty while it is being read, or when it cannot be played."""
        ...


class EmptyBook:
    """Of a source that has no use for files: every one is as good as read, and nothing is known of it."""

    def request(self, text: str) -> None:
        """Nothing to begin."""

    def is_ready(self, text: str) -> bool:
        """Every file may be played."""
        return True

    def failure(self, text: str) -> str:
        """Empty: no file fails."""
        return ""

    def note(self, text: str) -> str:
        """Empty: of files that are not opened nothing is known."""
        return ""


class TextSlots:
    """The text each pad or slot is to play, and the commands that wait for theirs to become playable."""

    def __init__(self, book: TextBook, texts: Sequence[str], *, name: str, number_key: str, text_key: str) -> None:
        """`name` is a slot's in sentences ("prompt pad"); the keys are those of its command's arguments."""
        self._book = book
        self._texts = list(texts)
        self._name = name
        self._number_key, self._text_key = number_key, text_key
        self._awaited: dict[int, tuple[int, str]] = {}  # slot -> command id, text

    @property
    def texts(self) -> tuple[str, ...]:
        """What every slot is to play, as far as it can."""
        return tuple(self._texts)

    @property
    def waiting(self) -> tuple[int, ...]:
        """Slots (1..) whose text is not playable yet."""
        return tuple(sorted(self._awaited))

    def prepare(self, command: Command) -> None:
        """Begin with a command's text before its time has come."""
        if isinstance(text := command.arguments.get(self._text_key), str) and text.strip():
            self._book.request(text.strip())

    def change(self, command: Command) -> list[Done]:
        """Obey a command; return what can be answered now: nonsense, and a command that this one replaces."""
        number, text = command.arguments.get(self._number_key), command.arguments.get(self._text_key)
        if not isinstance(number, int) or not 1 <= number <= len(self._texts):
            many = f"{self._name.split()[-1]}s are 1 to {len(self._texts)}"
            return [Done(command.id, f"{self._name} {number!r} does not exist: {many}")]
        if not isinstance(text, str):
            return [Done(command.id, f"{self._name} {number}: {text!r} is not a text")]
        replaced = [Done(self._awaited.pop(number)[0])] if number in self._awaited else []
        text = text.strip()
        self._texts[number - 1] = text
        self._book.request(text)
        self._awaited[number] = (command.id, text)
        return replaced

    def answers(self) -> list[Done]:
        """Return the answers that have become due, each once."""
        due = []
        for number, (command_id, text) in list(self._awaited.items()):
            failure = self._book.failure(text)
            if failure or self._book.is_ready(text):
                del self._awaited[number]
                due.append(Done(command_id, failure))
        return due
