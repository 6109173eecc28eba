"""MIDI ports, found as the show finds them."""

from __future__ import annotations

from collections.abc import Iterator

from engine.finding import Finding, found, missing

PART = "MIDI"
SET_UP = "python3 start.py"
PLUG_IN = "plug a controller in: it is found while the show runs"
START_DRIVER = "on Linux: modprobe snd-seq (ALSA), or start JACK or PipeWire; a container needs /dev/snd"


def check_midi() -> Iterator[Finding]:
    """Yield the ports there are now, in and out."""
    from vj.controllers.midi_drivers import MidiUnavailableError, make_driver
    from vj.controllers.midi_ports import choose_api

    try:
        api = choose_api()
        driver = make_driver(api)
    except MidiUnavailableError as error:
        yield missing(PART, "driver", str(error), SET_UP if "pip install" in str(error) else START_DRIVER)
        return
    yield found(PART, "driver", api)
    for direction, names in (("in", driver.input_names()), ("out", driver.output_names())):
        if not names:
            yield missing(PART, f"ports {direction}", "none", PLUG_IN)
        for name in names:
            yield found(PART, f"port {direction}", name)
    driver.close()
