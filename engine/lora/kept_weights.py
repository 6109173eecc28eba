"""A model's weights as they were, beside the weights it plays with: what is mixed in leaves no trace when it goes.

Owned by the generator's thread. Knows nothing of files, slots or when something is mixed.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from engine.lora.lora_file import ModuleChange
from engine.model.cast_linear import FLOAT8, CastLinear
from engine.quantised.linears import QuantisedLinear


class KeptWeights:
    """The weights some LoRA has touched are kept in their own number type; the others are not.

    A float8 weight steps aside for one in the model's own number type while a LoRA is on it: most LoRAs change a weight
    by less than the distance between two float8 numbers, and would be rounded away.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._parameters = dict(model.named_parameters())
        self._kept: dict[str, Tensor] = {}
        self._narrow: dict[str, tuple[nn.Parameter, Tensor | None]] = {}  # float8 weights that stepped aside, scales
        wide = [parameter for parameter in self._parameters.values() if parameter.dtype != FLOAT8]
        self._wide_dtype = wide[0].dtype if wide else torch.bfloat16
        self.shapes = {name: tuple(parameter.shape) for name, parameter in self._parameters.items()}
        self.device = next(iter(self._parameters.values())).device

    @torch.inference_mode()
    def mix(self, name: str, changes: Sequence[tuple[ModuleChange, float]]) -> None:
        """Set a weight or bias to what it was plus the sum of changes times their weights.

        Summed in float32 and rounded once; without changes it is what it was, bit for bit.
        """
        if name in self._narrow or self._parameters[name].dtype == FLOAT8:
            self._mix_float8(name, changes)
            return
        parameter = self._parameters[name].data
        if not changes:
            if (kept := self._kept.pop(name, None)) is not None:
                parameter.copy_(kept)
                self._narrow_again(name)
            return
        if name not in self._kept:
            self._kept[name] = parameter.clone()
        parameter.copy_(_sum(self._kept[name].float(), changes, is_bias=name.endswith(".bias")))
        self._narrow_again(name)

    def _narrow_again(self, name: str) -> None:
        """Let a layer that multiplies a narrow copy of a weight make that copy anew."""
        layer, _, leaf = name.rpartition(".")
        module = self._model.get_submodule(layer)
        if leaf == "weight" and isinstance(module, QuantisedLinear):
            module.narrow()

    def _mix_float8(self, name: str, changes: Sequence[tuple[ModuleChange, float]]) -> None:
        linear = self._model.get_submodule(name.removesuffix(".weight"))
        assert isinstance(linear, CastLinear), f"{name} is float8 in a {type(linear).__name__}"
        if not changes:
            if name in self._narrow:
                linear.weight, linear.scale = self._narrow.pop(name)
            return
        weight, scale = self._narrow.setdefault(name, (linear.weight, linear.scale))
        base = weight.float() if scale is None else weight.float() * scale
        total = _sum(base, changes, is_bias=False)
        linear.weight, linear.scale = nn.Parameter(total.to(self._wide_dtype), requires_grad=False), None


def _sum(base: Tensor, changes: Sequence[tuple[ModuleChange, float]], *, is_bias: bool) -> Tensor:
    """Base (float32) plus changes times weights; all plain LoRAs of a weight are one product of matrices."""
    total = base
    ups: list[Tensor] = []
    downs: list[Tensor] = []
    for change, weight in changes:
        if not is_bias and (factors := change.factors()) is not None:
            ups.append(weight * change.scale * factors[0])
            downs.append(factors[1])
            continue
        delta = change.bias_delta(base.device) if is_bias else change.weight_delta(base.shape, base.device)
        if delta is not None:
            total = total + weight * delta
    if not ups:
        return total
    return torch.addmm(total.flatten(1), torch.cat(ups, 1), torch.cat(downs)).reshape(base.shape)
