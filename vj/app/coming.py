"""What is on its way to the audience, soonest first: what waits for its beat, moves, is encoded, is armed, is next.

Works on frozen statuses; knows no widget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.messages import GeneratorStatus
from engine.parameter import Value
from vj.app.cue_panel import CueView
from vj.app.next_panel import Coming
from vj.presets.decks import DeckStatus, free_deck
from vj.tempo.quantise import Waiting

TRANSITION_WORD = "transition "


def list_coming(
    waiting: Sequence[Waiting],
    gliding: Mapping[str, float],
    generator: GeneratorStatus,
    cues: CueView,
    deck: DeckStatus,
    name_of: Callable[[str], tuple[str, str]],
    beats_until: Callable[[int], float],
) -> list[Coming]:
    """`name_of` gives name and words of an address; `beats_until` beats from now to a time.monotonic_ns()."""
    coming = [
        Coming("ARMED", *name_of(press.address), f"{max(0.0, beats_until(press.lands_ns)):.1f} beats")
        for press in waiting
    ]
    coming += [
        Coming("MOVING", source.removeprefix(TRANSITION_WORD), lands=f"{share:.0%}", share=share)
        for source, share in gliding.items()
    ]
    if generator.state == "streaming":
        coming += [Coming("GENERATING", *name_of(f"/vj/prompt/{pad}/go")) for pad in generator.prompts_waiting]
    if deck.title:
        coming.append(Coming("ARMED", deck.title, f"on deck {free_deck(deck.on_air)}"))
    if 1 <= cues.next <= cues.count:
        coming.append(Coming("NEXT", f"cue {cues.next}", cues.next_name, cues.follows))
    return coming


def describe_address(address: str, values: Mapping[str, Value], look_names: Sequence[str]) -> tuple[str, str]:
    """Name what a trigger brings, and its words."""
    parts = address.split("/")[2:]
    if parts[0] == "prompt":
        return f"pad {parts[1]}", str(values.get(f"/vj/prompt/{parts[1]}/text", ""))
    if parts[0] == "look":
        slot = int(parts[1])
        return f"look {slot}", look_names[slot - 1] if slot <= len(look_names) else ""
    return " ".join(reversed(parts)) if parts[0] in ("cut", "seed") else " ".join(parts), ""
