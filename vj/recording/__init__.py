"""The output as files: recordings, the last seconds saved by a key, stills."""
