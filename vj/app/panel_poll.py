"""Shows in every panel what has changed: values, beat and sound at each poll, statuses in turn.

Asks the sources and hands on what they say; no panel asks by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.parameter import Value
from vj.app.coming import describe_address, list_coming
from vj.app.effects.effects_page import EffectsPage
from vj.app.engine_page import EnginePage
from vj.app.live_row import LiveRow
from vj.app.map_mode import MapMode
from vj.app.mapping_page import MappingPage
from vj.app.next_panel import first_of
from vj.app.osc_monitor import OscNews
from vj.app.outlets.outlets_page import OutletsPage
from vj.app.output_panel import held_switch
from vj.app.pad_state import PadStates, heard_prompts, with_help
from vj.app.performance_view import PerformanceView
from vj.app.play_page import PlayPage
from vj.app.show_page import ShowPage
from vj.app.sources import PanelSources
from vj.app.status_strip import StatusStrip
from vj.app.surface import Surface
from vj.app.video_in.inputs_page import InputsPage
from vj.app.video_in.layered_frame import LayeredFrames
from vj.app.video_in.video_in_page import VideoInPage
from vj.controllers.router import Played
from vj.output.params import OutputParams

SLOW_POLLS = 4  # statuses take turns: each is shown at every fourth poll
SAME_MESSAGE_NS = 500_000_000  # an OSC message that plays a mapping is heard by both


@dataclass(frozen=True)
class PolledPanels:
    """The panels that show what moves by itself."""

    live: LiveRow
    play: PlayPage
    show_files: ShowPage
    mappings: MappingPage
    performance: PerformanceView
    strip: StatusStrip
    map_mode: MapMode
    engine: EnginePage
    inputs: InputsPage
    video_in: VideoInPage
    effects: EffectsPage
    outlets: OutletsPage


class PanelPoll:
    """Belongs to the GUI thread. `say` takes sentences for the performer."""

    def __init__(
        self, surface: Surface, panels: PolledPanels, sources: PanelSources, say: Callable[[str], None]
    ) -> None:
        self._surface = surface
        self._panels = panels
        self._sources = sources
        self._say = say
        self._layered = LayeredFrames(sources.video.folder)
        self._pad_states = PadStates(surface)
        self._osc_news = OscNews(sources.osc_messages)
        self._told_news = ""
        self._is_performing = False
        self._polls = 0

    def refresh(self, is_performing: bool) -> None:
        """Show what is due; `is_performing` says which of the two views is seen."""
        self._is_performing = is_performing
        values = self._surface.refresh()
        self._show_beat(values)
        turn = self._polls % SLOW_POLLS
        if turn == 0:
            self._show_output(values)
        elif turn == 1:
            self._show_strip(values)
        elif turn == 2:
            self._show_pads(values)
        else:
            self._show_controllers()
            self._show_inputs()
        self._polls += 1

    def _show_beat(self, values: Mapping[str, Value]) -> None:
        if self._is_performing:
            self._panels.performance.refresh()
        else:
            self._panels.live.beat.refresh()
            self._panels.live.sound.refresh()
        effective = self._sources.effective(values, time.monotonic_ns())
        if self._polls % 2:
            self._surface.show_modulated(effective)
        else:
            self._show_picture(effective)

    def _show_picture(self, values: Mapping[str, Value]) -> None:
        picture = self._panels.performance.program.picture if self._is_performing else self._panels.live.program.picture
        frame = self._layered.lay(self._sources.reader.frame_on_screen, values)
        picture.show_frame(frame, OutputParams.from_values(values))
        coming = self._panels.performance.next if self._is_performing else self._panels.live.next
        coming.show_deck(self._sources.decks.frame())

    def _show_output(self, values: Mapping[str, Value]) -> None:
        generator, playback = self._sources.generator(), self._sources.reader.status
        params = OutputParams.from_values(values)
        program = self._panels.performance.program if self._is_performing else self._panels.live.program
        state = program.show_status(generator, playback, params, held_switch(values))
        self._panels.strip.show_status(generator, playback, self._sources.latency())
        if self._panels.engine.isVisible():
            self._panels.engine.loras.show_loras(generator.loras, generator.lora_failures)
            self._panels.engine.engine.show_engine(self._sources.engine())
        self._panels.strip.show_error(self._sources.problems.poll(), state.detail)
        self._panels.strip.show_recording(self._sources.recording())
        news = self._sources.problems.news
        if news != self._told_news:
            self._told_news = news
            self._say(news)

    def _show_strip(self, values: Mapping[str, Value]) -> None:
        ports = self._sources.ports()
        self._panels.strip.show_ports(ports)
        if self._panels.mappings.isVisible():
            self._panels.mappings.refresh(ports)
        if self._sources.clock is not None:
            beat = self._panels.performance.beat if self._is_performing else self._panels.live.beat
            beat.refresh_leader(str(values["/vj/clock/source"]))

    def _show_pads(self, values: Mapping[str, Value]) -> None:
        generator, playback = self._sources.generator(), self._sources.reader.status
        waiting = self._sources.waiting()
        landings = {press.address: self._beats_until(press.lands_ns) for press in waiting}
        states = self._pad_states.describe(generator, playback.params_version, values, landings)
        if self._sources.prompt_help is not None:
            view = self._sources.prompt_help.view()
            states = with_help(states, view)
            self._panels.play.prompts.show_help(view, values)
        (self._panels.performance if self._is_performing else self._panels.play.prompts).show_states(states)
        names = self._sources.looks.names()
        deck = self._sources.decks.status()
        coming = list_coming(
            waiting,
            self._sources.gliding(),
            generator,
            self._sources.cues.cues(),
            deck,
            lambda address: describe_address(address, values, names),
            self._beats_until,
        )
        panel = self._panels.performance.next if self._is_performing else self._panels.live.next
        panel.show_coming(first_of(coming))
        panel.show_now(heard_prompts(values))
        self._panels.live.deck.show_status(deck)

    def _show_controllers(self) -> None:
        if self._sources.router is not None:
            self._surface.show_ghosts(self._sources.router.ghosts())
            self._show_last_message(self._sources.router.last_played)
        self._panels.map_mode.refresh()
        if not self._is_performing:
            self._panels.play.looks.refresh({press.address for press in self._sources.waiting()})
            self._panels.play.cues.refresh()
            if self._panels.show_files.isVisible():
                self._panels.show_files.refresh()

    def _show_inputs(self) -> None:
        if self._panels.inputs.isVisible():
            self._panels.inputs.refresh()
        if self._panels.video_in.isVisible():
            frame = self._sources.reader.frame_on_screen
            self._panels.video_in.refresh(None if frame is None else frame.pixels.shape[1] / frame.pixels.shape[0])
            self._panels.video_in.show_engine(self._sources.generator())
        if self._panels.outlets.isVisible():
            self._panels.outlets.refresh()
        if self._panels.effects.isVisible():
            self._panels.effects.show_notes(self._sources.effect_notes())

    def _show_last_message(self, played: Played | None) -> None:
        self._osc_news.poll()
        is_osc_newer = played is None or self._osc_news.at_ns - played.event.time_ns > SAME_MESSAGE_NS
        if self._osc_news.line is not None and is_osc_newer:
            self._panels.strip.show_osc(*self._osc_news.line)
        else:
            self._panels.strip.show_played(played)

    def _beats_until(self, time_ns: int) -> float:
        clock = self._sources.clock
        return 0.0 if clock is None else clock.beat_at(time_ns) - clock.beat_at(time.monotonic_ns())
