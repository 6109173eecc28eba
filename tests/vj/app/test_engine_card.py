"""The Engine page's card: which model plays, which one loads, what was reduced, and the way back."""

from __future__ import annotations

import pytest

from tests.vj.app.stage import Stage
from vj.app import theme
from vj.app.engine_card import CHOOSE, EngineCard
from vj.engine_params import MODEL_ADDRESS, RESTORE_ADDRESS
from vj.generator_thread import EngineFacts

PLAYING = "256x144 at 16 fps on cpu"


@pytest.fixture
def card(show: Stage) -> EngineCard:
    show.panels.show_page(5)
    return show.panels.engine.engine


def test_a_model_is_chosen_from_those_that_are_known(show: Stage, card: EngineCard):
    assert card.model.currentText() == CHOOSE
    names = [card.model.itemText(k) for k in range(card.model.count())]
    assert {"ember", "test-pattern"} < set(names)
    card.model.setCurrentText("ember")
    card.model.activated.emit(card.model.currentIndex())
    assert show.get(MODEL_ADDRESS) == "ember"
    show.controls.set(MODEL_ADDRESS, "/somewhere/model.toml", "osc")
    show.poll()
    assert card.model.currentText() == card.file.text() == "/somewhere/model.toml"


def test_loading_is_told_beside_what_plays_on(card: EngineCard):
    card.resize(600, 120)
    card.show_engine(EngineFacts("ember", PLAYING))
    assert "ember plays, 256x144 at 16 fps on cpu" in (card.state.toolTip(), card.state.text())
    card.show_engine(EngineFacts("ember", PLAYING, loading="loading rich, 12 s"))
    assert card.state.toolTip() == "loading rich, 12 s   ·   ember plays on"


def test_the_way_back_opens_when_something_was_reduced(show: Stage, card: EngineCard):
    pressed = []
    show.controls.answer(RESTORE_ADDRESS, pressed.append)
    card.show_engine(EngineFacts("ember", PLAYING))
    assert not card.restore.isEnabled()
    card.show_engine(EngineFacts("ember", PLAYING, reduced="out of memory: now 128x80 instead of 256x144"))
    assert card.restore.isEnabled()
    assert theme.WARNING in card.notice.styleSheet()
    card.restore.pressed.emit()
    assert [press.address for press in pressed] == [RESTORE_ADDRESS]
