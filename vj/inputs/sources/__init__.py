"""Where an input's pictures come from: each kind a module, all behind one protocol."""
