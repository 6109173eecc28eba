"""Sound inputs, by PortAudio."""

from __future__ import annotations

from collections.abc import Iterator

from engine.finding import Finding, found, missing

PART = "sound"


def check_sound() -> Iterator[Finding]:
    """Yield the devices that can be listened to, the usual one first."""
    try:
        import sounddevice
    except ImportError as error:
        yield missing(PART, "sounddevice", f"cannot be loaded: {error}", "python3 start.py")
        return
    except OSError as error:  # the library it calls is not there
        yield missing(PART, "PortAudio", str(error), "sudo apt install libportaudio2 (Debian, Ubuntu)")
        return
    try:
        devices = list(sounddevice.query_devices())
    except sounddevice.PortAudioError as error:
        yield missing(PART, "inputs", f"the sound driver does not answer: {error}", "restart the sound server")
        return
    usual = sounddevice.default.device[0]
    inputs = [device for device in devices if device["max_input_channels"] > 0]
    for device in sorted(inputs, key=lambda device: device["index"] != usual):
        detail = f"{device['max_input_channels']} channels, {device['default_samplerate']:.0f} Hz"
        yield found(PART, device["name"], detail + (", the usual one" if device["index"] == usual else ""))
    if not inputs:
        fix = "plug in a microphone or a sound card; on Linux start PulseAudio or PipeWire"
        yield missing(PART, "inputs", "none", fix)
