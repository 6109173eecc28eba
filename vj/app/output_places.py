"""Where outputs are to be: what the command line, a show and the displays that are there make of it.

Asks Qt for displays; knows nothing of the stage's windows. GUI thread.
"""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtGui import QGuiApplication, QScreen

from vj.output.displays import corner_of, find_displays
from vj.output.placing_params import MOST_OUTPUTS
from vj.stage.messages import Placement


def window_on(screen: QScreen, output: int = 1) -> Placement:
    """A window in a corner of a display, the second one above the first and so on."""
    corner = corner_of(screen)
    above = corner.translated(0, -(output - 1) * corner.height())
    return Placement(output=output, display=screen.name(), window=above.getRect())


def cover_of(screen: QScreen, output: int = 1) -> Placement:
    """A whole display."""
    return Placement(output=output, display=screen.name(), is_fullscreen=True)


def screen_named(name: str) -> QScreen | None:
    """The display of that name, where it is there now."""
    return next((screen for screen in QGuiApplication.screens() if screen.name() == name), None)


def asked_places(displays: str, kept: Mapping[int, str], *, is_fullscreen: bool) -> tuple[Placement, ...]:
    """Lay out what --display names: an output on each, covering those a show covered. Raises DisplayError."""
    screens = find_displays(displays, MOST_OUTPUTS)
    return tuple(
        (cover_of if is_fullscreen or kept.get(number) == screen.name() else window_on)(screen, number)
        for number, screen in enumerate(screens, start=1)
    )


def kept_places(kept: Mapping[int, str], *, is_fullscreen: bool) -> tuple[Placement, ...]:
    """Lay out a run that names no display. `kept`: what each output of a show covered; empty = it was a window.

    A display that is not there is waited for.
    """
    return tuple(_kept_place(number, kept.get(number, ""), is_fullscreen) for number in sorted({1, *kept}))


def _kept_place(number: int, name: str, is_fullscreen: bool) -> Placement:
    if name:
        return Placement(output=number, display=name, is_fullscreen=True)
    screens = QGuiApplication.screens()
    primary = QGuiApplication.primaryScreen()
    if number > 1 or not is_fullscreen:
        return window_on(primary, number)
    # fullscreen without a choice: the projector is the display that is not the performer's
    others = [screen for screen in screens if screen is not primary]
    return cover_of(others[0] if others else primary)


def missing_displays(places: tuple[Placement, ...]) -> list[str]:
    """Say which outputs wait for displays that are not there."""
    return [
        f"the display {place.display} of output {place.output} is not there: the output covers it when it comes"
        for place in places
        if place.is_fullscreen and screen_named(place.display) is None
    ]
