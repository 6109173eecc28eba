"""What guides a stream through VACE: control video, masks and reference pictures, as the context its blocks read."""
