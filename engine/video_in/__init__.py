"""Pictures from outside that a stream is painted over or guided by: a camera, a capture card, a file."""
