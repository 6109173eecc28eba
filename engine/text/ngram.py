"""ember's text encoder: every word becomes one row, made of the word and its character n-grams.

Spelling and inflection change few n-grams, so they change little. Knows nothing of the transformer or of training.
"""

import re
import zlib
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_WORD = re.compile(r"[^\W_]+")
_GRAM_SIZES = (3, 4, 5)
_WORD_CHARACTERS = 24  # of a longer word only the beginning counts
EMPTY_SHARE = 4  # at least every fourth row stays zero, as captions in training left them: shapes dissolve without

# words that join others; skipping them leaves the rows to words that ask for something
STOP_WORDS = frozenset(
    (
        "a",
        "an",
        "the",
        "of",
        "in",
        "on",
        "at",
        "to",
        "is",
        "are",
        "and",
        "or",
        "with",
        "for",
        "by",
        "from",
        "as",
        "into",
    )
    + ("it", "its", "this", "that")
)


@dataclass(frozen=True)
class NgramConfig:
    """Sizes of one encoder. `text_len` rows of `text_dim` come out; `buckets` rows of `width` are hashed into."""

    text_len: int = 16
    text_dim: int = 96
    buckets: int = 8192
    width: int = 96

    def __post_init__(self) -> None:
        for name, value in (("text_len", self.text_len), ("text_dim", self.text_dim), ("width", self.width)):
            if value < 1:
                raise ValueError(f"text encoder: {name} = {value}; at least 1 is needed")
        if self.buckets < 2:
            raise ValueError(f"text encoder: buckets = {self.buckets}; at least 2 are needed")


def split_words(text: str, limit: int) -> list[str]:
    """Return the first `limit` words of `text` that are no stop words, in lower case."""
    words = (word[:_WORD_CHARACTERS] for word in _WORD.findall(text.lower()))
    return [word for word in words if word not in STOP_WORDS][:limit]


def bucket_indices(word: str, buckets: int) -> list[int]:
    """Hash a word and its character n-grams into 0..buckets-1: the same on every machine and in every run."""
    framed = f"<{word}>"
    grams = [framed]
    for size in _GRAM_SIZES:
        grams += [framed[start : start + size] for start in range(len(framed) - size + 1)]
    return [zlib.crc32(gram.encode("utf-8")) % buckets for gram in grams]


class NgramEncoder(nn.Module):
    """Words to rows. Rows past the end of the text are zero, as padding is in Wan."""

    def __init__(self, config: NgramConfig) -> None:
        super().__init__()
        self.config = config
        self.table = nn.EmbeddingBag(config.buckets, config.width, mode="mean")
        self.hidden = nn.Linear(config.width, 2 * config.width)
        self.out = nn.Linear(2 * config.width, config.text_dim)
        nn.init.normal_(self.table.weight, std=0.5)

    def encode(self, text: str) -> Tensor:
        """Encode one prompt to (text_len, text_dim), without gradients."""
        with torch.no_grad():
            return self([text])[0]

    def forward(self, texts: list[str]) -> Tensor:
        """Encode prompts to (B, text_len, text_dim)."""
        heard = self.config.text_len - self.config.text_len // EMPTY_SHARE
        words = [split_words(text, heard) for text in texts]
        device = self.out.weight.device
        rows = torch.zeros(len(texts), self.config.text_len, self.config.text_dim, device=device)
        flat = [bucket_indices(word, self.config.buckets) for prompt in words for word in prompt]
        if not flat:
            return rows
        offsets = torch.tensor([0, *(len(indices) for indices in flat[:-1])]).cumsum(0).to(device)
        x = self.table(torch.tensor([index for indices in flat for index in indices], device=device), offsets)
        x = self.out(torch.relu(self.hidden(x)))
        # unit mean square per row, whatever the word: prompts then blend by weight, not by how sure the words are
        x = x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + 1e-6)
        place = torch.tensor([(b, i) for b, prompt in enumerate(words) for i in range(len(prompt))])
        place = place.to(device)
        return rows.index_put((place[:, 0], place[:, 1]), x.to(rows.dtype))  # narrow under autocast
