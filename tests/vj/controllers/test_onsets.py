"""Hits in the sound play what audio.toml gives them, while their switch is on."""

from dataclasses import replace

from vj.commands import CommandQueue
from vj.controllers.mapping import load_mappings
from vj.controllers.onsets import HELD_NS, OnsetPlayer
from vj.controllers.router import Router
from vj.controls import Controls
from vj.parameters import ParameterStore
from vj.shipped_files import MAPPINGS, shipped_folder
from vj.sound.features import SILENCE


def test_a_hit_is_a_press_that_is_let_go_again():
    mappings, problems = load_mappings([shipped_folder(MAPPINGS) / "audio.toml"])
    assert problems == ()
    controls = Controls(ParameterStore(), CommandQueue())
    heard = SILENCE
    player = OnsetPlayer(lambda: heard, controls.store, Router(controls, mappings).handle)
    zoom = []
    for now_ns, hit_ns, is_on in ((1, 1, False), (2, 1, True), (3, 3, True), (4, 3, True), (5 + HELD_NS, 3, True)):
        controls.set("/vj/audio/onsets", is_on, "panel")
        heard = replace(heard, onset_times_ns=(hit_ns, 0, 0, 0))
        player.tick(now_ns)
        zoom.append(controls.store.get("/vj/effect/zoom"))
    assert zoom == [1.0, 1.0, 1.12, 1.12, 1.0]
    assert controls.moved_by("/vj/effect/zoom").source == "audio/onset/1"
