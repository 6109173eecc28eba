"""What is measured of videos and of a model's own streams, without downloads; and the official VBench, run beside."""
