"""Every way of sending behind one protocol: order, names, sizes, alpha, failures.

Libraries of other systems are stood in for by `fakes/`, which follow what they publish.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from tests.servers.given_output import GivenOutput, draw, number_of
from vj.inputs.listing import Listed
from vj.sharing import kinds
from vj.sharing.desk import SharingDesk
from vj.sharing.frame_rate import measured_rate, nominal_rate
from vj.sharing.kinds import KIND_OF, KINDS
from vj.sharing.messages import ShareWishes
from vj.sharing.params import SHARE_PARAMETERS, ShareParams
from vj.sharing.senders.opening import open_sender
from vj.sharing.senders.sender import Opening, SenderError
from vj.sharing.sending import Sending
from vj.sharing.shaping import Shaper, shaped_size

FAKES = Path(__file__).parent / "fakes"
SIZE = (96, 54)
STOOD_IN = {"spout": ("SpoutGL", "VJ Output"), "syphon": ("syphon", "VJ Output"), "camera": ("pyvirtualcam", "")}


@pytest.fixture(params=sorted(STOOD_IN))
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ModuleType]]:
    """A kind, and its library's stand-in, on the system it is for."""
    word, (module, _) = request.param, STOOD_IN[request.param]
    monkeypatch.syspath_prepend(str(FAKES))
    monkeypatch.setitem(sys.modules, "Metal", SimpleNamespace(MTLPixelFormatBGRA8Unorm=80))
    kept = {name: sys.modules.pop(name) for name in _loaded()}
    monkeypatch.setattr(kinds, "this_system", lambda: KIND_OF[word].platform or sys.platform)
    yield word, importlib.import_module(module)
    for name in _loaded():
        del sys.modules[name]
    sys.modules.update(kept)


def _loaded() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in {module for module, _ in STOOD_IN.values()}]


def wishes(word: str, **settings: object) -> ShareWishes:
    return ShareWishes({"is_on": True, "name": KIND_OF[word].default_name} | settings, 60.0)


def send(sending: Sending, given: GivenOutput, count: int) -> None:
    for _ in range(count):
        given.write()
        sending.step()


def test_every_picture_goes_out_in_order_named_sized_and_opaque(library, tmp_path: Path, monkeypatch) -> None:
    word, fake = library
    given, sending = GivenOutput(tmp_path, SIZE, 60.0), Sending(word, tmp_path / "output.pictures")
    sending.wish(wishes(word))
    send(sending, given, 40)
    name = STOOD_IN[word][1] or "Fake Camera"
    assert [number_of(picture) for picture in fake.received] == list(range(40))
    assert np.array_equal(fake.received[7], draw(7, *SIZE))  # right side up, to the byte, opaque
    state = sending.state
    assert (state.state, state.name, state.width, state.height, state.rate) == ("sending", name, *SIZE, "60")
    assert (state.sent, state.dropped, state.receivers) == (40, 0, 1 if word == "syphon" else -1)

    given.resize(160, 91)  # another output: the sender is opened anew, even in size, once it stays so
    sending.step()
    send(sending, given, 5)
    assert len(fake.received) == 40 and len([about for about, _ in fake.events if about == "name"]) == 1
    monkeypatch.setattr("vj.sharing.sending.SETTLE_NS", 0)
    send(sending, given, 5)
    assert fake.received[-1].shape == (90, 160, 4) and sending.state.height == 90
    sending.wish(wishes(word, size="360p", every=2, name="Second"))
    send(sending, given, 10)
    assert np.diff([number_of(one) for one in fake.received[-4:]]).tolist() == [2, 2, 2]
    assert sending.state.rate == "30"
    sending.close()
    assert [about for about, _ in fake.events if about != "frame"] == ["name", "released"] * 3
    if word == "syphon":
        assert len(fake.turns) == state.sent + 10  # clients that came late hear of it


def test_a_driver_that_refuses_is_told_and_tried_again(
    library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    word, fake = library
    monkeypatch.setattr("vj.sharing.sending.BACK_OFF_S", (0.0,))
    given, sending = GivenOutput(tmp_path, SIZE, 60.0), Sending(word, tmp_path / "output.pictures")
    sending.wish(wishes(word))
    if word != "syphon":  # which refuses nothing
        fake.fails.append("createOpenGL")
        send(sending, given, 2)
        assert sending.state.state == "lost" and sending.state.problem
        assert word != "camera" or "v4l2loopback" in sending.state.problem
        fake.fails[:] = ["sendImage"]
        send(sending, given, 2)
        assert sending.state.state == "lost" and "takes no pictures" in sending.state.problem
        fake.fails.clear()
    send(sending, given, 2)
    assert (sending.state.state, sending.state.problem) == ("sending", "")
    sending.close()


def test_what_is_missing_is_said_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "this_system", lambda: "linux")
    opening = Opening("VJ Output", 96, 54, Fraction(60))
    for word, sentence in (("spout", "Spout is there on Windows only"), ("syphon", "Syphon is there on macOS only")):
        with pytest.raises(SenderError, match=sentence):
            open_sender(word, opening)
    monkeypatch.setattr(kinds, "_is_installed", lambda module: False)
    monkeypatch.setitem(sys.modules, "cyndilib.sender", None)
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    for word, package, extra in (("ndi", "cyndilib", "ndi"), ("camera", "pyvirtualcam", "vcam")):
        with pytest.raises(SenderError, match=rf"needs {package}, which is not installed: pip install 'vj\[{extra}\]'"):
            open_sender(word, opening)


class SlowSender:
    """A driver that takes its time."""

    note, receivers = "", 3

    def __init__(self) -> None:
        self.name, self.numbers = "slow", []

    def send(self, pixels: np.ndarray) -> None:
        self.numbers.append(number_of(pixels))

    def close(self) -> None:
        pass


def test_a_slow_driver_loses_pictures_that_are_counted_and_a_new_ring_is_followed(tmp_path: Path) -> None:
    slow = SlowSender()
    given = GivenOutput(tmp_path, SIZE, 60.0)  # which keeps 30
    sending = Sending("ndi", given.path, lambda word, opening: slow)
    sending.step()  # told nothing: nothing is opened
    assert sending.state.state == "opening" and sending.state.receivers == -1
    sending.wish(wishes("ndi"))
    send(sending, given, 3)
    for _ in range(15):  # few enough to be kept
        given.write()
    send(sending, given, 1)
    assert slow.numbers == [0, 1, 2, 3] and sending.state.dropped == 0
    for _ in range(40):
        given.write()
    sending.step()
    assert slow.numbers[-1] == given.written - 1 and sending.state.dropped == given.written - 5
    assert sending.state.receivers == 3
    given.resize(*SIZE)
    given.write()
    sending.step()
    assert slow.numbers[-1] == given.written - 1
    sending.close()


def test_alpha_is_made_of_brightness_within_its_range() -> None:
    grey = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    picture = np.dstack([grey, np.full((1, 256), 9, np.uint8)])
    made = Shaper().shape(picture, ShareParams(alpha="straight", alpha_low=0.2, alpha_high=0.6))
    assert np.array_equal(made[..., :3], grey)
    assert made[0, 51, 3] == 0 and made[0, 153, 3] == 255 and abs(int(made[0, 102, 3]) - 128) <= 1
    wanted = np.round(grey[0, :, 0] * (made[0, :, 3] / 255.0))
    made = Shaper().shape(picture, ShareParams(alpha="premultiplied", alpha_low=0.2, alpha_high=0.6))
    assert np.abs(made[0, :, 0] - wanted).max() <= 1 and made[0, 20].tolist() == [0, 0, 0, 0]
    step = Shaper().shape(picture, ShareParams(alpha="straight", alpha_low=0.5, alpha_high=0.5))
    assert set(step[0, :, 3].tolist()) == {0, 255}
    assert (picture[..., 3] == 9).all()


def test_sizes_are_even_and_rates_are_what_receivers_know() -> None:
    assert shaped_size(1920, 1080, "output") == (1920, 1080) and shaped_size(1920, 1080, "720p") == (1280, 720)
    assert shaped_size(1280, 720, "1080p") == (1280, 720) and shaped_size(833, 481, "output") == (832, 480)
    told = {60.0: "60", 59.94: "60000/1001", 59.951: "60000/1001", 23.976: "24000/1001", 143.9: "1439/10", 50.02: "50"}
    assert {rate: str(nominal_rate(rate)) for rate in told} == told
    assert measured_rate([k * 16_900_000 for k in range(20)]) == Fraction(60000, 1001) and measured_rate([]) == 60


def test_what_is_sent_is_not_offered_as_an_input(tmp_path: Path) -> None:
    desk = SharingDesk(dict, tmp_path / "output.pictures", lambda who, is_wanted: None)
    for share, name in zip(desk._shares, ("VM (VJ Output)", "VJ Output", "VJ Output", "Loop"), strict=True):
        share.state = share.state.__class__(state="sending", name=name)
    own = ("ndi:VM (VJ Output)", "spout:VJ Output", "syphon:Python: VJ Output", "Loop")
    others = ("ndi:VM (VJ Output 2)", "spout:Resolume", "syphon:VDMX: main", "HD Webcam")
    listed = [Listed("any", source, source) for source in (*own, *others)]
    assert tuple(one.source for one in desk.leave_out_own(listed)) == others


def test_every_kind_has_its_parameters_and_a_camera_no_alpha() -> None:
    own = {one.address for one in SHARE_PARAMETERS}
    for kind in KINDS:
        assert f"/vj/share/{kind.word}/on" in own
        assert (f"/vj/share/{kind.word}/alpha/mode" in own) is kind.has_alpha
    values = {one.address: one.default for one in SHARE_PARAMETERS} | {"/vj/share/ndi/size": "720p"}
    assert ShareParams.from_values(values, KIND_OF["ndi"]).name == "VJ Output"
    assert ShareParams.from_values(values, KIND_OF["ndi"]).size == "720p"
    assert ShareParams.from_values(values, KIND_OF["camera"]).name == ""
