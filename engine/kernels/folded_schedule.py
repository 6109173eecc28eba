"""A schedule whose timesteps come as the constants that a model makes of them."""

from __future__ import annotations

from torch import Tensor

from engine.kernels.modulation_table import ModulationTable
from engine.model.transformer import CausalWanTransformer, Modulations
from engine.schedule import Schedule


class FoldedSchedule(Schedule):
    """Of one model, which is told of changes by `forget`. Owned by the generator's thread."""

    def __init__(self, shift: float, model: CausalWanTransformer) -> None:
        super().__init__(shift)
        self._table = ModulationTable(model)

    def times(self, _latents: Tensor, *timesteps: float) -> Modulations:
        """One timestep for all latent frames, or one for each, as modulations of every layer."""
        return self._table.at(*timesteps)

    def forget(self) -> None:
        """Make them anew: the model's weights are others now."""
        self._table.forget()
