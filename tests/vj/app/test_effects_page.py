"""The Effects page: mixes and places, the knobs of the effect looked at, files of one's own and their faults."""

from __future__ import annotations

from tests.vj.app.stage import Stage
from vj.app.main_window import PAGES
from vj.effects.notes import EffectNote
from vj.effects.params import CHAIN_NAMES, EFFECT_PARAMETERS
from vj.shipped_files import EFFECTS, user_folder

OWN = "void main() { gl_FragColor = vec4(1.0); }"


def test_everything_of_every_effect_can_be_moved_on_one_page(show: Stage):
    page = show.panels.effects
    on_page = {address for widget, address in show.panels.surface.widgets.items() if page.isAncestorOf(widget)}
    assert {parameter.address for parameter in EFFECT_PARAMETERS} | {"/vj/effect/crossfade"} == on_page


def test_a_name_shows_its_knobs_and_its_edge_says_whether_it_is_on(show: Stage):
    show.panels.show_page(PAGES.index("Effects"))
    page = show.panels.effects
    page.names["bloom"].click()
    show.settle()
    assert page.editors["bloom"].isVisible() and not page.editors["tile"].isVisible()
    before = page.names["bloom"].grab().toImage().pixelColor(2, 10)
    show.controls.set("/vj/effect/bloom/mix", 0.5, "test")
    show.settle()
    assert page.names["bloom"].grab().toImage().pixelColor(2, 10) != before


def test_files_of_ones_own_are_listed_and_their_knobs_and_faults_are_told(show: Stage):
    folder = user_folder(EFFECTS)
    folder.mkdir(parents=True)
    (folder / "rain.fs").write_text(OWN)
    show.panels.show_page(PAGES.index("Effects"))
    page = show.panels.effects
    page.names["user/2"].click()
    show.settle()
    choice = next(w for w, address in show.panels.surface.widgets.items() if address == "/vj/effect/user/2/file")
    choice.showPopup()
    choice.hidePopup()
    choice.activated.emit(choice.findData("rain"))
    assert show.get("/vj/effect/user/2/file") == "rain"
    page.show_notes([EffectNote("user/2", "rain.fs", ("speed", "tint red"), "rain.fs: line 7: no such thing")])
    editor = page.editors["user/2"]
    assert [knob.label for knob in editor.knobs[:3]] == ["speed", "tint red", "knob 3"]
    assert editor.problem.text() == "rain.fs: line 7: no such thing"
    page.show_notes([])
    assert editor.problem.text() == "" and editor.knobs[0].label == "knob 1"
    assert list(page.names) == list(CHAIN_NAMES)
