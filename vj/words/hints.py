"""What a prompt lacks for a model that was trained on long texts: a few quiet hints, by rule.

The advice is that of the published models: subject and setting in every prompt, one long take, long and detailed text.
"""

from __future__ import annotations

import functools

from vj.words.lexicon import CUTS, has_spaced_words, is_english, names_place, names_subject, words_of

SHORT_SHARE = 0.4  # of the words the model knows: below it a text is called short


@functools.lru_cache(maxsize=256)
def prompt_hints(text: str, caption_words: int) -> tuple[str, ...]:
    """Hints for one prompt, the gravest first; none for a model of short texts (`caption_words` 0), nor for no text."""
    words = words_of(text)
    if not caption_words or not words:
        return ()
    hints = []
    if is_english(text, words):
        if not names_subject(words):
            hints.append("no subject named: who or what is seen?")
        if not names_place(text, words):
            hints.append("no setting named: where is it?")
        if cut := CUTS.search(text):
            hints.append(f"“{cut[0]}” asks for several shots: one long take holds better")
    if len(words) < SHORT_SHARE * caption_words and has_spaced_words(text):
        counted = "1 word" if len(words) == 1 else f"{len(words)} words"
        hints.append(f"{counted}: the model was trained on about {caption_words}")
    return tuple(hints)
