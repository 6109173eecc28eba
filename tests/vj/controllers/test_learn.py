"""Learning: choose an address, move a control, done; in the user's file, at once, with undo."""

from pathlib import Path

import pytest

from vj.commands import CommandQueue
from vj.controllers.events import ControlEvent
from vj.controllers.learn import Learn
from vj.controllers.mapping import load_mapping, load_mappings
from vj.controllers.midi_decoder import MidiDecoder
from vj.controllers.router import Router
from vj.controls import Controls
from vj.parameters import ParameterStore, UnknownAddressError
from vj.shipped_files import MAPPINGS, shipped_folder

MS = 1_000_000


class Desk:
    """A router, a learner, and a controller whose messages come 10 ms apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.controls = Controls(ParameterStore(), CommandQueue())
        shipped, _ = load_mappings([shipped_folder(MAPPINGS) / "first_light.toml"])
        self.router = Router(self.controls, shipped)
        self.learn = Learn(self.router, self.controls.store, folder)
        self.now_ns = 0
        self.decoder = MidiDecoder("My box:out")

    def send(self, *messages: list[int], apart_ms: float = 10.0) -> None:
        for message in messages:
            self.now_ns += round(apart_ms * MS)
            for event in self.decoder.read(message, self.now_ns):
                self.router.handle(event)

    def rest(self) -> None:
        self.now_ns += 1000 * MS
        self.learn.poll(self.now_ns)

    def proposed(self) -> tuple[str, str | None]:
        proposal = self.learn.state.proposal
        assert proposal, "nothing was proposed"
        return proposal.gesture.control, proposal.gesture.relative

    def file(self) -> str:
        (path,) = self.folder.iterdir()
        return path.read_text()


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(tmp_path / "mappings")


def knob(number: int, *values: int) -> list[list[int]]:
    return [[0xB0, number, value] for value in values]


def test_choose_move_done(desk):
    desk.learn.begin("/vj/effect/zoom")
    desk.send(*knob(50, *range(0, 40)))
    assert desk.controls.store.version == 0, "what is being learned does not play"
    desk.rest()
    assert desk.learn.state.address == ""
    assert "My box:out cc/1/50 plays /vj/effect/zoom" in desk.learn.state.said
    desk.send(*knob(50, 0, 60))
    assert desk.controls.store.get("/vj/effect/zoom") > 2.0
    desk.send([0xB0, 7, 127], [0xB0, 7, 0])
    assert desk.controls.store.get("/vj/output/level") == 0.0, "what played the box before plays on"
    (assignment,) = [found for found in desk.learn.assignments("/vj/effect/zoom") if found.is_learned]
    assert (assignment.control, assignment.device) == ("cc/1/50", "My box:out")
    assert load_mapping(assignment.file)[1] == ()


@pytest.mark.parametrize(
    ("messages", "control", "relative"),
    [
        (knob(20, *range(60, 70)), "cc/1/20", None),
        (knob(20, 1, 2, 3, 4, 5, 6, 7), "cc/1/20", None),
        (knob(20, 1, 1, 1, 2, 1), "cc/1/20", "twos_complement"),
        (knob(20, 1, 1, 1, 127, 127), "cc/1/20", "twos_complement"),
        (knob(20, 65, 65, 65, 63), "cc/1/20", "offset"),
        (knob(20, 1, 1, 1, 65, 65), "cc/1/20", "sign_magnitude"),
        ([[0xB0, 20, 127]], "cc/1/20", None),
        ([[0x80, 40, 0], [0x90, 41, 90]], "note/1/41", None),
        ([[0xE0, 0, bend] for bend in range(64, 90, 3)], "bend/1", None),
        ([[0xC0, 9]], "program/1/9", None),
    ],
)
def test_a_control_is_recognised_by_how_it_moves(desk, messages, control, relative):
    desk.learn.begin("/vj/effect/zoom")
    desk.send(*messages)
    assert desk.proposed() == (control, relative)


def test_noise_and_releases_propose_nothing(desk):
    desk.learn.begin("/vj/effect/zoom")
    desk.send(*knob(20, 64, 65, 64, 65, 64), [0x80, 40, 0], [0x90, 40, 0])
    assert desk.learn.state.proposal is None
    desk.send(*knob(21, 10, 20, 30, 40), *knob(20, 65, 64))
    assert desk.proposed() == ("cc/1/21", None)


@pytest.mark.parametrize("is_fine_first", [False, True])
def test_a_14_bit_pair_is_recognised_by_its_halves_coming_together(desk, is_fine_first):
    desk.learn.begin("/vj/effect/zoom")
    for value in range(6000, 9000, 150):
        halves = [[0xB0, 7, value >> 7], [0xB0, 39, value & 127]]
        desk.send(*(halves[::-1] if is_fine_first else halves), apart_ms=0.5)
        desk.now_ns += 20 * MS
    assert desk.proposed() == ("cc14/1/7", None)


def test_two_faders_32_apart_are_no_pair(desk):
    desk.learn.begin("/vj/effect/zoom")
    desk.send(*knob(0, 0, 20, 40, 60), *knob(32, 127, 0, 127, 0, 127), *knob(0, 62, 64, 66))
    assert desk.proposed() == ("cc/1/0", None)


def test_nrpn_is_recognised(desk):
    desk.learn.begin("/vj/effect/zoom")
    for value in range(10, 100, 9):
        desk.send([0xB0, 99, 9], [0xB0, 98, 82], [0xB0, 6, value], [0xB0, 38, 0], apart_ms=0.3)
    assert desk.proposed() == ("nrpn/1/1234", None)


def test_a_conflict_waits_for_a_decision(desk):
    desk.learn.begin("/vj/effect/zoom")
    desk.send(*knob(7, 10, 20, 30, 40))
    desk.rest()
    assert desk.learn.state.proposal.conflicts == ("/vj/output/level",)
    assert "plays /vj/output/level now" in desk.learn.state.proposal.sentence
    desk.learn.accept()
    desk.send(*knob(7, 0, 127, 0))
    assert desk.controls.store.get("/vj/output/level") == 1.0
    desk.learn.undo()
    desk.learn.begin("/vj/effect/zoom")
    desk.send(*knob(7, 10, 20, 30, 40))
    desk.learn.accept(keep_conflicts=True)
    desk.send(*knob(7, 0, 127, 64))
    assert desk.controls.store.get("/vj/output/level") == pytest.approx(64 / 127)
    assert desk.controls.store.get("/vj/effect/zoom") > 2.0


def test_buttons_learn_what_suits_the_parameter(desk):
    for number, address in enumerate(["/vj/cut/hard", "/vj/clock/quantise", "/vj/output/blackout", "/vj/effect/zoom"]):
        desk.learn.begin(address)
        desk.send([0x90, 80 + number, 100])
        desk.rest()
    desk.send(*[[0x90, 80 + number, 127] for number in range(4)])
    assert [command.name for command in desk.controls.commands.take()] == ["cut/hard"]
    values = [desk.controls.store.get(f"/vj/{name}") for name in ("clock/quantise", "output/blackout", "effect/zoom")]
    assert values == ["beat", True, 4.0]
    desk.send([0x80, 83, 0])
    assert desk.controls.store.get("/vj/effect/zoom") == 1.0


def test_a_text_is_learned_as_it_stands_and_keys_are_learned_too(desk):
    desk.controls.set("/vj/prompt/2/text", "a red river", "panel")
    desk.learn.begin("/vj/prompt/2/text")
    desk.router.handle(ControlEvent("keyboard", "key/F5", 1.0, desk.now_ns))
    desk.rest()
    desk.controls.set("/vj/prompt/2/text", "snow", "panel")
    desk.router.handle(ControlEvent("keyboard", "key/F5", 1.0, desk.now_ns))
    assert desk.controls.store.get("/vj/prompt/2/text") == "a red river"


def test_undo_goes_back_several_steps_and_keeps_comments(desk):
    for number in (50, 51):
        desk.learn.begin("/vj/effect/zoom")
        desk.send(*knob(number, 10, 20, 30, 40))
        desk.rest()
    (path,) = desk.folder.iterdir()
    path.write_text(desk.file().replace("[controls]", "# my desk\n[controls]"))
    desk.learn.begin("/vj/effect/hue")
    desk.send(*knob(52, 10, 20, 30, 40))
    desk.rest()
    assert "# my desk" in desk.file()
    desk.learn.undo()
    assert "cc/1/52" not in desk.file()
    assert "# my desk" in desk.file()
    desk.learn.undo()
    assert "changed since by another hand" in desk.learn.state.said
    assert "cc/1/51" in desk.file()


def test_undo_of_the_first_change_removes_the_file(desk):
    desk.learn.begin("/vj/effect/zoom")
    desk.send(*knob(50, 10, 20, 30, 40))
    desk.rest()
    desk.learn.undo()
    assert list(desk.folder.iterdir()) == []
    desk.send(*knob(50, 0, 60))
    assert desk.controls.store.get("/vj/effect/zoom") == 1.0
    desk.learn.undo()
    assert desk.learn.state.said == "there is nothing to undo"


def test_remove_silences_a_shipped_line_for_this_device(desk):
    desk.send([0xB0, 7, 127])
    desk.learn.begin("/vj/effect/zoom")
    desk.send(*knob(7, 10, 20, 30, 40))
    desk.learn.accept()
    shipped, learned = desk.learn.assignments("/vj/effect/zoom")
    assert (shipped.is_learned, learned.is_learned) == (False, True)
    desk.learn.remove(learned)
    assert desk.learn.assignments("/vj/effect/zoom") == (shipped,)
    desk.send(*knob(7, 127, 0))
    assert desk.controls.store.get("/vj/output/level") == 1.0


def test_remove_silences_a_line_for_any_controller_where_no_file_names_it(desk):
    desk.send([0xB0, 7, 127])
    (shipped,) = desk.learn.assignments("/vj/output/level")
    desk.learn.remove(shipped)
    desk.send(*knob(7, 127, 0))
    assert desk.controls.store.get("/vj/output/level") == 1.0
    desk.learn.undo()
    desk.send(*knob(7, 127, 0))
    assert desk.controls.store.get("/vj/output/level") == 0.0


def test_a_broken_file_is_told_and_left_alone(desk):
    desk.folder.mkdir()
    path = desk.folder / "learned_my_box_out.toml"
    path.write_text("= =")
    desk.learn.begin("/vj/effect/zoom")
    desk.send(*knob(50, 10, 20, 30, 40))
    desk.rest()
    assert "is not TOML" in desk.learn.state.said
    assert path.read_text() == "= ="


def test_cancel_lets_controls_play_and_unknown_addresses_are_told(desk):
    desk.learn.begin("/vj/effect/zoom")
    desk.send(*knob(7, 127, 100))
    desk.learn.cancel()
    desk.send(*knob(7, 127, 0))
    assert desk.controls.store.get("/vj/output/level") == 0.0
    with pytest.raises(UnknownAddressError, match="did you mean"):
        desk.learn.begin("/vj/effect/zoon")
