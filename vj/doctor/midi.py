"""MIDI ports, found as the show finds them."""

from __future__ import annotations

from collections.abc import Iterator

from engine.finding import Finding, found, missing

PART = "MIDI"
PLUG_IN = "plug a controller in: it is found while the show runs"
START_DRIVER = "on Linux: modprobe snd-seq (ALSA), or start JACK or PipeWire; a container needs /dev/snd"


def check_midi() -> Iterator[Finding]:
    """Yield the ports there are now, in and out."""
    from vj.controllers.midi_ports import CLIENT_NAME, DRIVERS, MidiUnavailableError, RtMidiPorts, choose_api

    ports = RtMidiPorts()
    try:
        api = choose_api()
        inputs = ports.names()
    except MidiUnavailableError as error:
        detail, _, fix = str(error).partition(": ")
        is_package = "python-rtmidi" in detail
        yield missing(PART, "driver", str(error), fix.partition(" (")[0] if is_package else START_DRIVER)
        return
    finally:
        ports.close()
    import rtmidi

    outputs = rtmidi.MidiOut(rtmidi.get_compiled_api_by_name(DRIVERS[api]), name=CLIENT_NAME).get_ports()
    yield found(PART, "driver", api)
    for direction, names in (("in", inputs), ("out", outputs)):
        if not names:
            yield missing(PART, f"ports {direction}", "none", PLUG_IN)
        for name in names:
            yield found(PART, f"port {direction}", name)
