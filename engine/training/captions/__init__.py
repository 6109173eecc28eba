"""Captions of drawn clips: a grammar over a hand-written lexicon, with filler and typing errors."""
