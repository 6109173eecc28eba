"""The prompt that plays: the text each pad really shows, their blend, and the keys and values of that blend."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor

from engine.model.block import TextKeysValues
from engine.model.transformer import CausalWanTransformer
from engine.params import ChunkParams
from engine.plans.needs import KEPT_BLENDS
from engine.text.prompts import PromptBook, blend


class PromptCache:
    """Cross-attention keys and values per blend of prompts. Used by the generator's thread only.

    A pad whose text is not encoded yet keeps its old one; with every weight at 0 the last blend plays on.
    """

    def __init__(
        self,
        model: CausalWanTransformer,
        book: PromptBook,
        device: torch.device,
        dtype: torch.dtype,
        *,
        kept: int = KEPT_BLENDS,
    ) -> None:
        self._model = model
        self._book = book
        self._device = device
        self._dtype = dtype
        self._kept: OrderedDict[tuple, list[TextKeysValues]] = OrderedDict()
        self._last_key: tuple | None = None
        self.most_kept = kept  # blends beside the one in use
        self.on_screen: tuple[str, ...] = ()  # text each pad really plays
        self.waiting: tuple[int, ...] = ()  # pads (1..) whose wanted text is not encoded yet

    def select(self, params: ChunkParams) -> list[TextKeysValues]:
        """Keys and values per layer for the wanted prompts, as far as encoded. Waits only for the very first."""
        texts = self._playable(params.prompt_texts)
        shares = tuple(
            (text, weight) for text, weight in zip(texts, params.heard_weights, strict=True) if text and weight > 0.0
        )
        if not shares and self._last_key is not None:
            return self._kept[self._last_key]
        key = (params.blend_mode, shares or (("", 1.0),))
        if key not in self._kept:
            self._kept[key] = self._encode(key)
        self._kept.move_to_end(key)
        self._last_key = key
        while len(self._kept) > self.most_kept:
            self._kept.popitem(last=False)
        return self._kept[key]

    def forget(self) -> None:
        """Make keys and values anew: the model's weights are others now. What plays goes on playing."""
        playing, self._last_key = self._last_key, None
        self._kept.clear()
        if playing is not None:
            self._kept[playing] = self._encode(playing)
            self._last_key = playing

    def begin_anew(self) -> None:
        """Play nothing on: the next chunk waits for its texts, as the very first does."""
        self._kept.clear()
        self._last_key, self.on_screen, self.waiting = None, (), ()

    def _playable(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        if not self.on_screen:  # nothing plays yet: there is no old text to keep
            for text in wanted:
                self._book.encode_now(text)
        texts, waiting = [], []
        for pad, text in enumerate(wanted):
            self._book.request(text)
            if self._book.is_ready(text):
                texts.append(text)
            else:
                texts.append(self.on_screen[pad])
                waiting.append(pad + 1)
        self.on_screen, self.waiting = tuple(texts), tuple(waiting)
        self._book.hold((*wanted, *texts))  # a fader that moves never waits for an encoder
        return self.on_screen

    def _encode(self, key: tuple) -> list[TextKeysValues]:
        mode, shares = key
        embeddings = [self._book.encode_now(text) for text, _ in shares]
        blended: Tensor = blend(embeddings, [weight for _, weight in shares], mode)
        return self._model.encode_text(blended[None].to(self._device, self._dtype))
