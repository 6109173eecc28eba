"""What hands do to captions: words that mean nothing, endings, typing errors. Knows nothing of the grammar."""

import random

from engine.training.captions.lexicon import FILLERS

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def misspell(text: str, dice: random.Random) -> str:
    """Make one typing error in one longer word: a letter lost, doubled, replaced or swapped."""
    words = text.split()
    long = [index for index, word in enumerate(words) if len(word) >= 4]
    if not long:
        return text
    chosen = dice.choice(long)
    word = words[chosen]
    at = dice.randrange(1, len(word) - 1)
    words[chosen] = dice.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + dice.choice(_ALPHABET) + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        )
    )
    return " ".join(words)


def add_filler(text: str, dice: random.Random) -> str:
    """Put one to four words that mean nothing before, after or into the caption."""
    words = text.split()
    for _ in range(dice.randint(1, 4)):
        words.insert(dice.randint(0, len(words)), dice.choice(FILLERS))
    return " ".join(words)


def inflect(text: str, dice: random.Random) -> str:
    """Give one word another ending, as English would or would not."""
    words = text.split()
    chosen = dice.randrange(len(words))
    words[chosen] += dice.choice(("s", "ish", "y", "ed", "ing"))
    return " ".join(words)
