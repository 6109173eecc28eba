"""Longer texts for the pads while a show plays: asked for by a trigger, made beside it, proposed, taken, undone.

A proposal changes nothing until it is taken. Knows nothing of widgets, engines or pictures.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.model_presets import PresetError, load_preset
from engine.params import PROMPT_PADS
from engine.pattern_name import is_test_pattern
from vj.controls import Controls, Press
from vj.engine_params import MODEL_ADDRESS
from vj.presets.looks import SEED_ADDRESS
from vj.words.endpoint import EndpointError, ask_endpoint
from vj.words.extender import extend_prompt
from vj.words.params import extend_address, undo_address
from vj.words.settings import read_endpoint
from vj.written_files import FileError

STOP_S = 0.5  # a thread that waits for an endpoint is left behind


@dataclass(frozen=True)
class Proposal:
    """A longer text that waits to be taken."""

    words: str
    instead_of: str  # what the pad held when it was asked for


@dataclass(frozen=True)
class HelpView:
    """What panels show. Frozen."""

    caption_words: int = 0  # about how long the texts of the playing model are; 0 = short ones, which need no help
    proposals: Mapping[int, Proposal] = field(default_factory=dict)  # by pad, 1..
    asking: frozenset[int] = frozenset()  # pads whose text is on its way


class PromptHelp:
    """Any thread may call any method; only `stop` waits, and not long.

    One thread of its own makes the texts, one after the other, and may wait for an endpoint.
    """

    def __init__(
        self, controls: Controls, playing: Callable[[], str], asked_model: str, tell: Callable[[str], None]
    ) -> None:
        """Answer the triggers. `playing` names the model that plays; `asked_model` is how the run was asked for one."""
        self._controls = controls
        self._playing = playing
        self._asked_model = asked_model
        self._tell = tell
        self._lock = threading.Lock()
        self._proposals: dict[int, Proposal] = {}
        self._before: dict[int, Proposal] = {}  # what was taken last, by pad
        self._asking: frozenset[int] = frozenset()
        self._caption_words: dict[str, int] = {"": 0}  # by model
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="prompt help", daemon=True)
        for pad in range(1, PROMPT_PADS + 1):
            controls.answer(extend_address(pad), lambda press, pad=pad: self._extend(pad, press))
            controls.answer(undo_address(pad), lambda press, pad=pad: self.undo(pad, press.source))

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is being asked for is given up."""
        self._jobs.put(None)
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    def view(self) -> HelpView:
        """Say what is proposed and what is on its way. Proposals for words the pad no longer holds are gone."""
        model = self._playing()
        if model not in self._caption_words:  # presets are files: read beside the panels
            self._caption_words[model] = 0
            self._jobs.put(lambda: self._look_up(model))
        with self._lock:
            for pad in [pad for pad, proposal in self._proposals.items() if proposal.instead_of != self._text(pad)]:
                del self._proposals[pad]
            return HelpView(self._caption_words[model], MappingProxyType(dict(self._proposals)), self._asking)

    def take(self, pad: int, words: str, source: str) -> None:
        """Give a pad a proposed text, as it is or as a hand has changed it; `undo` gives the old one back."""
        before = self._text(pad)
        held = str(self._controls.set(f"/vj/prompt/{pad}/text", words, source))
        with self._lock:
            self._proposals.pop(pad, None)
            self._before[pad] = Proposal(held, before)

    def undo(self, pad: int, source: str) -> None:
        """Drop what is proposed; else give back the words before the last text that was taken, if it still stands."""
        with self._lock:
            if self._proposals.pop(pad, None) is not None:
                return
            taken = self._before.pop(pad, None)
        if taken is not None and taken.words == self._text(pad):
            self._controls.set(f"/vj/prompt/{pad}/text", taken.instead_of, source)

    # -- asking ------------------------------------------------------------------------------------------------------

    def _extend(self, pad: int, press: Press) -> None:
        proposal = self.view().proposals.get(pad)
        if proposal is not None:
            self.take(pad, proposal.words, press.source)
            return
        text = self._text(pad)
        if not text.strip():
            self._tell(f"pad {pad} has no words that could be made longer")
            return
        with self._lock:
            if pad in self._asking:
                return
            self._asking |= {pad}
        model, seed = self._playing(), int(self._controls.store.get(SEED_ADDRESS))
        self._jobs.put(lambda: self._propose(pad, text, model, seed))

    def _text(self, pad: int) -> str:
        return str(self._controls.store.get(f"/vj/prompt/{pad}/text"))

    # -- this thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _propose(self, pad: int, text: str, model: str, seed: int) -> None:
        words = self._look_up(model)
        longer = self._longer(text, words, seed) if words else text
        with self._lock:
            self._asking -= {pad}
            is_current = text == self._text(pad)
            if longer != text and is_current:
                self._proposals[pad] = Proposal(longer, text)
        if not words:
            self._tell(f"{model or 'the model'} was trained on short texts: pad {pad} stays as it is")
        elif not is_current:
            self._tell(f"pad {pad} has other words meanwhile: the longer text is left out")
        elif longer == text:
            self._tell(f"pad {pad} is long enough: {model} was trained on about {words} words")

    def _longer(self, text: str, words: int, seed: int) -> str:
        """From the user's endpoint, or by rule when there is none or it fails."""
        try:
            endpoint = read_endpoint()
            if endpoint is not None:
                return ask_endpoint(endpoint, text, words)
        except (EndpointError, FileError) as error:
            self._tell(f"{error}; the built-in words are proposed")
        return extend_prompt(text, words, seed)

    def _look_up(self, model: str) -> int:
        """How long the texts of a model are, out of its preset. A model that is no preset any more needs no help."""
        names = (model, str(self._controls.store.get(MODEL_ADDRESS)), self._asked_model)
        for name in filter(None, names):
            if is_test_pattern(name):
                continue
            try:
                preset = load_preset(name)
            except PresetError:
                continue
            if name == model or preset.name == model:
                self._caption_words[model] = preset.text.caption_words
                return preset.text.caption_words
        return self._caption_words.setdefault(model, 0)
