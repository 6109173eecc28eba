"""The linear layers, nothing between them, that end ImageReward and LAION's aesthetic predictor."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

WIDTHS = (1024, 128, 64, 16, 1)
PLACES = (0, 2, 4, 6, 7)  # of the layers among the published ones; dropouts stand between, which do nothing here


class ScoreHead(nn.Module):
    """Vectors (N, E) -> scores (N,). Key names are the published `layers.0`, `layers.2`, ..."""

    def __init__(self, width: int) -> None:
        super().__init__()
        sizes = pairwise((width, *WIDTHS))
        self.layers = nn.ModuleDict({str(n): nn.Linear(i, o) for n, (i, o) in zip(PLACES, sizes, strict=True)})

    def forward(self, x: Tensor) -> Tensor:
        """Score vectors."""
        for layer in self.layers.values():
            x = layer(x)
        return x.squeeze(-1)
