"""What the panels read of a performance, in the panels' own words. Knows both sides; holds nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from engine.messages import GeneratorStatus
from vj.app.cue_panel import CueSource, CueView, TimelineView
from vj.app.deck_panel import DeckSource
from vj.app.look_panel import LookSource
from vj.app.problem_board import ProblemBoard
from vj.app.sound_panel import SoundSource
from vj.app.sources import OutputSource, PanelSources
from vj.app.status_strip import Ports
from vj.app.video_in.video_source import VideoSource
from vj.performance import Performance
from vj.presets.cue_list import CueList
from vj.presets.look_shelf import LookShelf
from vj.presets.timeline_transport import TimelineStatus


def read_performance(
    performance: Performance, generator: Callable[[], GeneratorStatus], reader: OutputSource, problems: ProblemBoard
) -> PanelSources:
    """Let the panels read a performance."""
    repertoire = performance.repertoire
    return PanelSources(
        generator,
        reader,
        lambda: read_ports(performance),
        problems,
        clock=performance.clock,
        latency=performance.tempo.latency,
        waiting=lambda: performance.tempo.quantiser.pending,
        gliding=lambda: performance.transitions.progress,
        effective=performance.modulation.effective,
        sound=SoundSource(
            lambda: performance.sound.features,
            lambda: performance.sound.status.problem,
            lambda: performance.sound.status.device,
            performance.sound.devices,
        ),
        video=VideoSource(
            performance.folder,
            lambda: performance.inputs.states,
            lambda: performance.sharing.leave_out_own(performance.inputs.listed()),
            lambda: performance.recent_files.files,
            performance.recent_files.note,
            performance.stills.keep_mask,
        ),
        sharing=lambda: performance.sharing.states,
        looks=LookSource(lambda: look_names(repertoire.shelf), lambda: repertoire.shelf.version),
        cues=CueSource(
            lambda: view_cues(repertoire.cues, time.monotonic_ns()), lambda: view_timeline(repertoire.timeline.status)
        ),
        decks=DeckSource(lambda: performance.decks.status, lambda: reader.frame_on_deck),
        repertoire=repertoire,
        osc_messages=performance.osc.status if performance.osc is not None else None,
        router=performance.router,
        devices=lambda: performance.midi.status.devices,
        learn=performance.learn,
        prompt_help=performance.prompt_help,
        recording=lambda: performance.recording.status,
    )


def read_ports(performance: Performance) -> Ports:
    """Where controllers are heard now."""
    midi, osc = performance.midi.status, performance.osc
    heard = f"MIDI {', '.join(midi.devices)}" if midi.devices else midi.problem or "no MIDI controller"
    if osc is None:
        return Ports("closed: ports taken", True, heard)
    return Ports(osc.reach.address, osc.reach.has_moved, heard, osc.reach.is_open)


def look_names(shelf: LookShelf) -> Sequence[str]:
    """Title of the look in each slot; empty = none."""
    looks = shelf.looks
    return tuple(looks[name].name if name in looks else name for name in shelf.slots)


def view_cues(cues: CueList, now_ns: int) -> CueView:
    """Where the cue list stands."""
    status, listed = cues.status, cues.cues

    def name(number: int) -> str:
        return listed[number - 1].name if 1 <= number <= len(listed) else ""

    left_s = None if status.follows_at_ns is None else max(0.0, (status.follows_at_ns - now_ns) / 1e9)
    follows = "" if left_s is None else f"in {left_s:.1f} s"
    return CueView(len(listed), status.current, status.next, name(status.current), name(status.next), follows)


def view_timeline(status: TimelineStatus) -> TimelineView:
    """Where the timeline stands."""
    length = "" if status.length is None else f" / {status.length:.0f}"
    position = f"{status.position:.1f}{length} {status.unit}  cue {status.cue} of {status.cues}"
    return TimelineView(status.name, position if status.name else "", status.is_playing)
