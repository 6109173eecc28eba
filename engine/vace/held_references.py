"""The reference pads of a generator as latents and pictures: held until switched off, whatever is cut.

Belongs to the generator's thread. Knows nothing of streams.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor

from engine.params import ChunkParams
from engine.vace.encoding import MaskedEncoder
from engine.vace.references import ReferenceBook, ReferencePicture, filling, on_white
from engine.vae.latents import LATENT_STRIDE

KEPT = 16  # latents, and pictures put onto the stream's size


class HeldReferences:
    """Encodes each picture once, by itself; a pad whose file is not read yet is not there."""

    def __init__(
        self, book: ReferenceBook, encoder: MaskedEncoder, latent_size: tuple[int, int], device: torch.device
    ) -> None:
        """`latent_size` is (height, width)."""
        self._book, self._encoder = book, encoder
        self._size = latent_size[0] * LATENT_STRIDE, latent_size[1] * LATENT_STRIDE
        self._device = device
        self._kept: OrderedDict[tuple[int, str], Tensor] = OrderedDict()  # by picture and use

    def latents(self, params: ChunkParams) -> list[Tensor]:
        """Latents (1, 1, C, h, w) of the references that are on, in the order of their pads."""
        pads = self._pads(params, "reference")
        return [self._put(picture, "filled latent" if fit == "fill" else "latent") for picture, fit in pads]

    def picture(self, params: ChunkParams, role: str) -> Tensor | None:
        """The picture (3, H, W) in [-1, 1] a chunk begins ("first") or ends with ("last"): of the first such pad."""
        return next((self._put(picture, "picture") for picture, _ in self._pads(params, role)), None)

    def load(self, params: ChunkParams) -> None:
        """Read the files of all pads that are on to the end. Raises PictureError."""
        for file, is_on in zip(params.reference_files, params.reference_switches, strict=True):
            if file and is_on:
                self._book.picture(file, wait=True)

    def _pads(self, params: ChunkParams, role: str) -> list[tuple[ReferencePicture, str]]:
        pads = zip(
            params.reference_files,
            params.reference_switches,
            params.reference_roles,
            params.reference_fits,
            strict=True,
        )
        wanted = [(file, fit) for file, is_on, its_role, fit in pads if file and is_on and its_role == role]
        read = [(self._book.picture(file), fit) for file, fit in wanted]
        return [(picture, fit) for picture, fit in read if picture is not None]

    def _put(self, picture: ReferencePicture, use: str) -> Tensor:
        """A picture on the device: filling the frame, or as the latent of a reference."""
        key = picture.number, use
        if key not in self._kept:
            placed = (on_white if use == "latent" else filling)(picture, *self._size).to(self._device)
            self._kept[key] = placed if use == "picture" else self._encoder.encode_picture(placed)
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]
