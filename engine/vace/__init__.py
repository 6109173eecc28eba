"""VACE: control video, masks and reference pictures that guide the stream."""
