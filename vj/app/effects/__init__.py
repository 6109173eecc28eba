"""The panels of the effects: what is on, in which order, and the knobs of the one that is looked at."""
