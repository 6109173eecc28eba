"""The panel of sending: what goes out is told as it is, and what cannot be sent says why and how it could."""

from __future__ import annotations

import sys

import pytest

from vj.app.outlets import share_panel
from vj.app.outlets.share_panel import SharePanel, ShareView, describe_share
from vj.app.surface import Surface
from vj.commands import CommandQueue
from vj.controls import Controls
from vj.parameters import ParameterStore
from vj.sharing import kinds
from vj.sharing.messages import ShareState

SENDING = ShareState("sending", "VM (VJ Output)", 1920, 1080, "60000/1001", 59.94, 2, 31022, 3)
CASES = (
    (ShareState(), ShareView("OFF")),
    (ShareState("opening", "VJ Output"), ShareView("OPENING", "VJ Output")),
    (ShareState("waiting", "VJ Output"), ShareView("WAITING", "VJ Output", "the output gives no pictures", True)),
    (ShareState("lost", problem="gone"), ShareView("LOST", "", "gone", True)),
    (
        SENDING,
        ShareView(
            "SENDING",
            "VM (VJ Output)",
            "1920×1080 at 60000/1001  59.9 fps  2 receivers  31022 sent  3 dropped",
        ),
    ),
)


@pytest.mark.parametrize(("state", "view"), CASES)
def test_a_sender_is_told_in_a_word_and_a_line(state: ShareState, view: ShareView) -> None:
    assert describe_share(state) == view


def test_every_way_has_a_card_or_says_what_is_missing(qt_application, monkeypatch) -> None:
    monkeypatch.setattr(kinds, "_is_installed", lambda module: module != "pyvirtualcam")
    controls = Controls(ParameterStore(), CommandQueue())
    surface, states = Surface(controls), {"ndi": SENDING}
    panel = SharePanel(surface, lambda: states)
    panel.refresh()
    cards = {card.kind.word: card for card in panel.cards}
    assert cards["camera"].detail.text().endswith("pip install 'vj[vcam]'")
    other = "spout" if sys.platform != "win32" else "syphon"
    assert "only; use NDI here" in cards[other].detail.text()
    ndi = cards["ndi"]
    assert (ndi.word.text(), ndi.name.text()) == ("SENDING", "VM (VJ Output)") and "2 receivers" in ndi.detail.text()
    (switch,) = [widget for widget, address in surface.widgets.items() if address == "/vj/share/ndi/on"]
    switch.click()
    assert controls.store.get("/vj/share/ndi/on") is True
    assert not any(address.startswith("/vj/share/camera") for address in surface.widgets.values())
    states.clear()
    panel.refresh()
    assert ndi.word.text() == "OFF" and share_panel.COLOURS[ndi.word.text()]
    panel.deleteLater()
