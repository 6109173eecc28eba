"""One model over several devices: every process makes a share of a chunk's tokens, all of them hold all keys."""
