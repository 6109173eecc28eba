"""Prompts as embeddings: encoded once per text beside the stream, blended by weight. Knows nothing of pads on a screen.

A weight change never encodes; a text that is not encoded yet is simply not there.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from itertools import islice
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

KEPT_TEXTS = 256  # besides the held ones; one of a hundred words is about 2 MB with the largest encoder
_Kept = tuple[Tensor, int]  # the rows up to the prompt's end, and how many there are with the zeros after them


class TextEncoder(Protocol):
    """Turns a prompt into rows the transformer can attend to."""

    def encode(self, text: str) -> Tensor:
        """Text -> (text_len, text_dim) float32 on the CPU, zeros past the prompt's end."""
        ...


class PromptBook:
    """Embeddings by text: those that are held, and the ones asked for last. Any thread may ask.

    Encoding happens on one thread of its own, in the order of the requests; what is dropped before its turn is never
    encoded, so that a flood of texts cannot keep the wanted one waiting for long.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="prompts")
        self._lock = threading.RLock()  # over all below; never held while encoding. One that is dropped calls back
        self._futures: OrderedDict[str, Future[_Kept]] = OrderedDict()  # the one asked for last at the end
        self._held: frozenset[str] = frozenset()
        self._ahead: deque[str] = deque()  # to be encoded when there is time
        self._is_walking = False
        self._is_closed = False

    def request(self, text: str) -> None:
        """Begin encoding; returns at once. A text already known or under way costs nothing."""
        self._ask(text)

    def request_ahead(self, texts: Iterable[str]) -> None:
        """Encode these in order, one at a time, whenever nothing else is asked for; forgets the call before."""
        with self._lock:
            self._ahead = deque(texts)
            is_walking, self._is_walking = self._is_walking, True
        if not is_walking:
            self._walk_on()

    def hold(self, texts: Iterable[str]) -> None:
        """Keep the embeddings of these texts however many others are asked for, until the next call."""
        held = frozenset(texts)
        with self._lock:
            self._held = held

    def encode_now(self, text: str) -> Tensor:
        """Embedding (text_len, text_dim) of a text, waiting for it: for rendering offline, and the first prompt."""
        while True:
            try:
                rows, text_len = self._ask(text).result()
                return functional.pad(rows, (0, 0, 0, text_len - len(rows)))
            except CancelledError:  # dropped before its turn, by a flood of others: it is asked for anew
                if self._is_closed:
                    raise

    def is_ready(self, text: str) -> bool:
        """Whether the embedding is there; never waits."""
        future = self._find(text)
        return future is not None and future.done() and not future.cancelled() and future.exception() is None

    def failure(self, text: str) -> str:
        """Why a text could not be encoded, in a sentence; empty while it is under way, or when it could."""
        future = self._find(text)
        is_over = future is not None and future.done() and not future.cancelled()
        error = future.exception() if is_over else None
        return f"the prompt {text!r} cannot be encoded: {error}" if error else ""

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            self._is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _walk_on(self, _: Future[_Kept] | None = None) -> None:
        """Begin the next text that is only asked for ahead: it stands behind every text that is wanted now."""
        with self._lock:
            while self._ahead and self._ahead[0] in self._futures:
                self._ahead.popleft()
            self._is_walking = bool(self._ahead) and not self._is_closed
            if not self._is_walking:
                return
            future = self._ask(self._ahead.popleft())
        future.add_done_callback(self._walk_on)

    def _find(self, text: str) -> Future[_Kept] | None:
        with self._lock:
            return self._futures.get(text)

    def _ask(self, text: str) -> Future[_Kept]:
        with self._lock:
            future = self._futures.get(text)
            if future is None:
                future = self._futures[text] = self._pool.submit(self._encode, text)
                self._drop_oldest()
            self._futures.move_to_end(text)
            return future

    def _drop_oldest(self) -> None:
        """Forget what was asked for longest ago and is not held, down to KEPT_TEXTS besides the held ones."""
        surplus = len(self._futures) - len(self._held & self._futures.keys()) - KEPT_TEXTS
        if surplus > 0:
            for text in list(islice((text for text in self._futures if text not in self._held), surplus)):
                self._futures.pop(text).cancel()

    @torch.inference_mode()
    def _encode(self, text: str) -> _Kept:
        embedding = self._encoder.encode(text)
        used = embedding.any(dim=1).nonzero()
        rows = int(used.max()) + 1 if len(used) else 0
        return embedding[:rows].clone(), len(embedding)


def blend_linear(embeddings: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Weighted mean of embeddings of one shape, rescaled to the weighted mean of their norms. Weights sum to 1."""
    mean = sum(weight * embedding for weight, embedding in zip(weights, embeddings, strict=True))
    norm = sum(weight * embedding.norm() for weight, embedding in zip(weights, embeddings, strict=True))
    return mean * (norm / mean.norm().clamp_min(1e-12))


def blend_spherical(embeddings: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Walk great circles from one embedding to the next, each by its share of the weight so far. Weights sum to 1.

    With two embeddings this is slerp by the second weight; norms are interpolated linearly.
    """
    blended, total = embeddings[0], weights[0]
    for embedding, weight in zip(embeddings[1:], weights[1:], strict=True):
        total += weight
        if weight > 0.0:
            blended = _slerp(blended, embedding, weight / total)
    return blended


def _slerp(start: Tensor, end: Tensor, share: float) -> Tensor:
    start_norm, end_norm = start.norm(), end.norm()
    cosine = ((start * end).sum() / (start_norm * end_norm).clamp_min(1e-12)).clamp(-1.0, 1.0)
    angle = torch.acos(cosine)
    sine = torch.sin(angle)
    if sine < 1e-6:  # parallel, or opposite where no great circle is the shortest: the straight line
        return blend_linear([start, end], [1.0 - share, share])
    direction = (
        torch.sin((1.0 - share) * angle) / sine * start / start_norm + torch.sin(share * angle) / sine * end / end_norm
    )
    return direction * ((1.0 - share) * start_norm + share * end_norm)


BLENDS = {"linear": blend_linear, "spherical": blend_spherical}


def blend(embeddings: Sequence[Tensor], weights: Sequence[float], mode: str) -> Tensor:
    """Blend embeddings (text_len, text_dim) by weights >= 0 of any sum above 0; one alone is returned as it is."""
    kept = [(embedding, weight) for embedding, weight in zip(embeddings, weights, strict=True) if weight > 0.0]
    if not kept:
        raise ValueError("no prompt has a weight above 0")
    total = sum(weight for _, weight in kept)
    if len(kept) == 1:
        return kept[0][0]
    return BLENDS[mode]([embedding for embedding, _ in kept], [weight / total for _, weight in kept])
