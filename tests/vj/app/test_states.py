"""What the window says in a word: pads, beat, sound, controllers, what comes next."""

from __future__ import annotations

import pytest

from engine.messages import GeneratorStatus
from vj.app import theme
from vj.app.beat_panel import describe_leader
from vj.app.coming import describe_address, list_coming
from vj.app.cue_panel import CueView, describe_next
from vj.app.osc_monitor import describe_news
from vj.app.pad_state import PadView, describe_pad, heard_prompts, heard_weights
from vj.app.sound_panel import describe_sound
from vj.app.status_strip import describe_played
from vj.controllers.events import ControlEvent
from vj.controllers.osc.input import OscStatus
from vj.controllers.router import Played
from vj.parameters import PARAMETERS
from vj.presets.decks import DeckStatus
from vj.sound.features import SoundFeatures
from vj.tempo.beat_line import BeatLine
from vj.tempo.clock import ClockState
from vj.tempo.quantise import Waiting

STREAMING = GeneratorStatus(state="streaming", prompts_on_screen=("old words",))


@pytest.mark.parametrize(
    ("view", "status", "word"),
    [
        (PadView("", 0.0, True), STREAMING, "empty"),
        (PadView("words", 0.0, True), STREAMING, "ready"),
        (PadView("words", 1.0, True, lands_in_beats=2.34), STREAMING, "armed 2.3"),
        (PadView("words", 1.0, True), STREAMING, "generating"),
        (PadView("old words", 1.0, False), STREAMING, "generating"),
        (PadView("old words", 1.0, True), STREAMING, "on screen"),
        (PadView("old words", 0.0, True), GeneratorStatus(state="streaming", prompts_waiting=(1,)), "encoding"),
        (PadView("old words", 1.0, True), GeneratorStatus(state="failed"), "waiting"),
    ],
)
def test_a_pad_goes_from_armed_to_on_screen(view: PadView, status: GeneratorStatus, word: str):
    assert describe_pad(1, view, status).word == word


def test_only_soloed_pads_are_heard():
    values = {address: parameter.default for address, parameter in PARAMETERS.items()}
    values |= {"/vj/prompt/2/weight": 0.5, "/vj/prompt/2/text": "two", "/vj/prompt/2/solo": True}
    assert heard_weights(values)[:2] == (0.0, 0.5)
    assert heard_prompts(values) == [(2, 0.5, "two")]


@pytest.mark.parametrize(
    ("source", "wanted", "word"),
    [
        ("internal", "internal", "by hand"),
        ("internal", "midi", "no midi"),
        ("link", "link", "2 peers"),
        ("sound", "sound", "sure 80%"),
        ("midi", "midi", "locked"),
    ],
)
def test_who_leads_the_beat_is_said_and_who_should(source: str, wanted: str, word: str):
    state = ClockState(120.0, BeatLine(0, 0.0, 120.0), source=source, confidence=0.8, peers=2)
    assert describe_leader(state, wanted) == (word, source != wanted)


@pytest.mark.parametrize(
    ("features", "problem", "word"),
    [
        (SoundFeatures(), "no sound input on this computer", "no input"),
        (SoundFeatures(is_clipping=True, has_signal=True), "", "CLIPPING"),
        (SoundFeatures(), "", "no signal"),
        (SoundFeatures(has_signal=True), "", "USB Audio"),
    ],
)
def test_the_gravest_of_the_sound_is_said(features: SoundFeatures, problem: str, word: str):
    assert describe_sound(features, problem, "USB Audio")[0] == word


def test_the_last_controller_message_says_what_it_did():
    event = ControlEvent("nanoKONTROL2", "cc/1/0", 0.5, 0)
    assert describe_played(None)[0] == "–"
    assert describe_played(Played(event, ("/vj/output/level",), False))[1:] == ("/vj/output/level", theme.GOOD)
    assert "pick up /vj/output/level" in describe_played(Played(event, ("/vj/output/level",), True))[1]
    assert "not mapped" in describe_played(Played(event, (), False))[1]


def test_what_lands_first_comes_first():
    waiting = (Waiting("/vj/look/3/recall", "panel", 8.0, 1_000),)
    values = {"/vj/prompt/2/text": "red tulips"}
    status = GeneratorStatus(state="streaming", prompts_waiting=(2,))
    cues = CueView(count=3, current=1, next=2, next_name="Drop")
    coming = list_coming(
        waiting,
        {"transition look glacier": 0.25},
        status,
        cues,
        DeckStatus("A", title="Deep sea"),
        lambda address: describe_address(address, values, ("", "", "Furnace")),
        lambda time_ns: 2.5,
    )
    assert [(one.stage, one.name, one.detail, one.lands) for one in coming] == [
        ("ARMED", "look 3", "Furnace", "2.5 beats"),
        ("MOVING", "look glacier", "", "25%"),
        ("GENERATING", "pad 2", "red tulips", ""),
        ("ARMED", "Deep sea", "on deck B", ""),
        ("NEXT", "cue 2", "Drop", ""),
    ]


def test_the_next_cue_is_named():
    assert describe_next(CueView()) == "the cue list is empty"
    assert describe_next(CueView(count=2, next=3)) == "the cue list is over"
    assert describe_next(CueView(count=2, next=2, next_name="Drop", follows="in 3.2 s")) == "next 2  Drop  in 3.2 s"


def test_news_of_osc_are_green_or_red_with_the_reason():
    before = OscStatus(10, 0, 0, 0, "/vj/output/level 0.5", "")
    heard = OscStatus(13, 0, 0, 0, "/vj/output/level 0.8", "")
    assert describe_news(before, heard) == ("/vj/output/level 0.8   ×3", theme.GOOD)
    wrong = OscStatus(14, 0, 1, 0, "/vj/levle 1", "osc 127.0.0.1: unknown address")
    assert describe_news(heard, wrong) == ("osc 127.0.0.1: unknown address", theme.ALARM)
    assert describe_news(wrong, wrong) is None
