"""What is told of an effect's file: plain data that goes from the stage to the panels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EffectNote:
    """One effect. `problem` is a sentence with file, line and the driver's words; empty = all is well."""

    name: str = ""  # of a shipped one, user/1.. or fade/NAME
    file: str = ""  # that plays
    labels: tuple[str, ...] = ()  # of a slot's knobs, in order
    problem: str = ""
