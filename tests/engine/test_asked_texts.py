"""Commands that carry texts reach their slots, and what becomes of their files is told."""

from __future__ import annotations

from engine.asked_texts import AskedTexts
from engine.messages import Command, Done, GeneratorStatus, decode, encode
from engine.params import ENGINE_PARAMETERS
from engine.test_pattern import TestPattern


class Pictures:
    """A book of references that reads nothing before it is told to."""

    def __init__(self) -> None:
        self.requested: list[str] = []
        self.read: set[str] = set()

    def request(self, text: str) -> None:
        self.requested.append(text)

    def is_ready(self, text: str) -> bool:
        return not text or text in self.read

    def failure(self, text: str) -> str:
        return f"{text} cannot be read" if text == "bad.png" else ""

    def note(self, text: str) -> str:
        return "64x48" if text in self.read else ""


def make_texts() -> tuple[AskedTexts, Pictures]:
    source = TestPattern(32, 16)
    source.references = Pictures()
    return AskedTexts(source), source.references


def reference(number: object, file: object, command_id: int = 5) -> Command:
    return Command(command_id, "reference/file", {"slot": number, "file": file})


def test_a_reference_is_answered_once_its_picture_is_read():
    texts, pictures = make_texts()
    command = reference(2, "face.png")
    assert texts.knows(command)
    texts.prepare(command)
    assert texts.change(command) == []
    assert pictures.requested == ["face.png", "face.png"]
    assert texts.values()["/vj/vace/ref/2/file"] == "face.png"
    assert (texts.answers(), texts.is_waiting) == ([], True)
    pictures.read.add("face.png")
    assert texts.answers() == [Done(5)]
    assert texts.answers() == []
    assert not texts.is_waiting
    assert texts.facts()["references"] == ("", "64x48", "", "")


def test_what_cannot_be_read_and_what_does_not_exist_are_sentences():
    texts, _ = make_texts()
    texts.change(reference(1, "bad.png"))
    assert texts.answers() == [Done(5, "bad.png cannot be read")]
    assert texts.facts()["reference_failures"] == ("bad.png cannot be read", "", "", "")
    assert texts.change(reference(9, "a.png")) == [Done(5, "reference pad 9 does not exist: pads are 1 to 4")]
    assert texts.change(reference(1, 7)) == [Done(5, "reference pad 1: 7 is not a text")]
    assert not texts.knows(Command(6, "cut/hard"))


def test_the_facts_are_fields_of_the_status_and_survive_the_pipe():
    texts, _ = make_texts()
    texts.change(reference(1, "bad.png"))
    status = GeneratorStatus(**texts.facts())
    assert decode(encode(status)) == status


def test_every_text_parameter_of_the_engine_is_asked_for_by_command():
    texts, _ = make_texts()
    assert set(texts.values()) == {one.address for one in ENGINE_PARAMETERS if one.kind == "text"}
