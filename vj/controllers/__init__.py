"""The outside world: MIDI and OSC become moves of the instrument. No Qt."""
