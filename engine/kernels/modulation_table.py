"""The modulations of every layer for the few timesteps that are played, made once. Owned by the generator's thread."""

from __future__ import annotations

from collections import OrderedDict

import torch

from engine.model.transformer import CausalWanTransformer, Modulations

KEPT_TIMESTEPS = 64  # a fader over an input's noise visits many once; the model's own come back


class ModulationTable:
    """Looks up what `CausalWanTransformer.fold` makes; nothing waits for the device."""

    def __init__(self, model: CausalWanTransformer) -> None:
        self._model = model
        self._kept: OrderedDict[tuple[float, ...], Modulations] = OrderedDict()

    @torch.inference_mode()
    def at(self, *timesteps: float) -> Modulations:
        """Those of one timestep for all latent frames, or of one for each; timesteps in 0..1000."""
        if timesteps not in self._kept:
            device = self._model.patch_embedding.weight.device
            # filled on the device: a copy from the host would wait for it
            written = [torch.full((1, 1), timestep, dtype=torch.float32, device=device) for timestep in timesteps]
            self._kept[timesteps] = self._model.fold(torch.cat(written, dim=1)).packed()
        self._kept.move_to_end(timesteps)
        while len(self._kept) > KEPT_TIMESTEPS:
            self._kept.popitem(last=False)
        return self._kept[timesteps]

    def forget(self) -> None:
        """Make them anew: the model's weights are others now."""
        self._kept.clear()
