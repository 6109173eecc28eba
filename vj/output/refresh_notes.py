"""What a performer should know about the displays' rates before the show, in sentences. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping

NEAR = 0.02  # of a rate: 59.94 is 60
SHORTEST_HZ = 1.0  # what says less does not know its rate


def refresh_warnings(rates_hz: Mapping[str, float], unwaited: tuple[str, ...] = ()) -> list[str]:
    """Return a sentence for everything that may show as judder or tearing, and that can be mended.

    `rates_hz`: the outputs' displays by name; `unwaited`: displays whose swaps come back at once.
    """
    known = _known(rates_hz)
    notes = [f"{name} does not wait for its refresh: switch vertical sync on, or it may tear" for name in unwaited]
    if known and max(known.values()) > min(known.values()) * (1.0 + NEAR):
        listed = ", ".join(f"{name} {rate:g} Hz" for name, rate in known.items())
        notes.append(
            f"the displays refresh at different rates ({listed}): set them to the same one, or all follow the slowest"
        )
    return notes


def refresh_notes(rates_hz: Mapping[str, float], content_fps: float) -> list[str]:
    """Return a sentence for every display whose rate the stream's own (0 = none yet) does not divide."""
    if content_fps <= 0.0:
        return []
    return [
        f"{name} refreshes at {rate:g} Hz, no multiple of {content_fps:g} frames per second: frames are blended"
        for name, rate in _known(rates_hz).items()
        if not _is_multiple(rate, content_fps)
    ]


def _known(rates_hz: Mapping[str, float]) -> dict[str, float]:
    return {name: rate for name, rate in rates_hz.items() if rate > SHORTEST_HZ}


def _is_multiple(rate_hz: float, content_fps: float) -> bool:
    times = rate_hz / content_fps
    return round(times) >= 1 and abs(times - round(times)) < NEAR * times
