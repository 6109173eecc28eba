"""Longer texts for the pads of a running show: proposed, taken, undone, and never waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.model_presets import list_presets
from tests.servers.chat_endpoint import ChatEndpoint
from vj.commands import CommandQueue
from vj.controls import Controls
from vj.parameters import ParameterStore
from vj.words.prompt_help import PromptHelp

TEXT, EXTEND, UNDO = (f"/vj/prompt/3/{name}" for name in ("text", "extend", "undo"))
PATIENCE_S = 10.0


class Help:
    """Prompt help around real controls, for a model that was trained on long texts."""

    def __init__(self, model: str) -> None:
        self.sentences: list[str] = []
        self.controls = Controls(ParameterStore(), CommandQueue())
        self.help = PromptHelp(self.controls, lambda: model, model, self.sentences.append)
        self.help.start()
        self.controls.set(TEXT, "a red fox", "test")

    def text(self) -> str:
        return str(self.controls.store.get(TEXT))

    def proposed(self) -> str:
        proposal = self.help.view().proposals.get(3)
        return proposal.words if proposal is not None else ""


def wait_until(is_so: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end_s, "it did not come"
        time.sleep(0.01)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folders, with a model `rich` that is ember but for its texts."""
    ember = list_presets()["ember"].read_text("utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "vj" / "presets" / "models"
    folder.mkdir(parents=True)
    rich = ember.replace('name = "ember"', 'name = "rich"').replace("caption_words = 0", "caption_words = 60")
    (folder / "rich.toml").write_text(rich, "utf-8")
    return tmp_path / "vj"


@pytest.fixture
def show(models: Path) -> Iterator[Help]:
    show = Help("rich")
    yield show
    show.help.stop()


def test_a_press_proposes_a_second_takes_and_undo_gives_back(show: Help):
    show.controls.trigger(EXTEND, "osc")
    wait_until(lambda: bool(show.proposed()))
    proposed = show.proposed()
    assert (show.text(), proposed.startswith("a red fox.")) == ("a red fox", True), "proposed, not played"
    show.controls.trigger(EXTEND, "osc")
    assert (show.text(), show.proposed()) == (proposed, "")
    assert show.controls.moved_by(TEXT).source == "osc"
    show.controls.trigger(UNDO, "osc")
    assert show.text() == "a red fox"
    show.controls.trigger(UNDO, "osc")
    assert show.text() == "a red fox", "once"
    wait_until(lambda: show.help.view().caption_words == 60)


def test_undo_drops_a_proposal_and_never_takes_back_what_a_hand_has_written_since(show: Help):
    show.controls.trigger(EXTEND, "panel")
    wait_until(lambda: bool(show.proposed()))
    show.controls.trigger(UNDO, "panel")
    assert (show.proposed(), show.text()) == ("", "a red fox")
    show.help.take(3, "a red fox in snow", "panel")
    show.controls.set(TEXT, "something else", "panel")
    show.controls.trigger(UNDO, "panel")
    assert show.text() == "something else"


def test_other_words_meanwhile_leave_the_proposal_out(show: Help):
    show.controls.trigger(EXTEND, "panel")
    wait_until(lambda: bool(show.proposed()))
    show.controls.set(TEXT, "a blue whale", "panel")
    assert show.help.view().proposals == {}


def test_a_slow_endpoint_holds_nobody_and_the_built_in_words_come_instead(show: Help, models: Path):
    with ChatEndpoint("slow") as server:
        (models / "words.toml").write_text(f"[extend]\nurl = '{server.url}'\nmodel = 'm'\ntimeout_s = 0.5")
        began_s = time.monotonic()
        show.controls.trigger(EXTEND, "panel")
        assert time.monotonic() - began_s < 0.3
        assert show.help.view().asking == {3}
        wait_until(lambda: bool(show.proposed()))
    assert "took longer than 0.5 s (timeout_s); the built-in words are proposed" in show.sentences[-1]
    assert show.proposed().startswith("a red fox.")
    assert show.help.view().asking == frozenset()


def test_a_good_endpoint_proposes_its_own_words(show: Help, models: Path):
    with ChatEndpoint(answer="A red fox trots through deep snow.") as server:
        (models / "words.toml").write_text(f"[extend]\nurl = '{server.url}'\nmodel = 'm'")
        show.controls.trigger(EXTEND, "panel")
        wait_until(lambda: bool(show.proposed()))
    assert show.proposed() == "A red fox trots through deep snow."
    assert show.sentences == []


def test_a_bad_words_file_is_told_and_the_built_in_words_come(show: Help, models: Path):
    (models / "words.toml").write_text("[extend]\nurl = 5")
    show.controls.trigger(EXTEND, "panel")
    wait_until(lambda: bool(show.proposed()))
    assert "words.toml: extend.url: 5 must be a text; the built-in words are proposed" in show.sentences[-1]


def test_a_pad_that_needs_no_help_is_said_to_and_stays(models: Path):
    show = Help("ember")
    show.controls.trigger(EXTEND, "panel")
    wait_until(lambda: bool(show.sentences))
    assert show.sentences == ["ember was trained on short texts: pad 3 stays as it is"]
    show.controls.set(TEXT, "", "panel")
    show.controls.trigger(EXTEND, "panel")
    assert show.sentences[-1] == "pad 3 has no words that could be made longer"
    assert show.help.view().caption_words == 0
    show.help.stop()
