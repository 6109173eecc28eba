"""Work on the device recorded once and repeated without the processor: passes of the transformer, rolls, decoding."""
