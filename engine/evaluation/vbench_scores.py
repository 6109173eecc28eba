"""VBench's Total, Quality and Semantic score out of its sixteen dimensions (arXiv:2311.17982).

Weights and ranges are the published ones. Knows nothing of how dimensions are measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

QUALITY_WEIGHT, SEMANTIC_WEIGHT = 4.0, 1.0


@dataclass(frozen=True)
class Dimension:
    """One dimension: raw values from `low` to `high` become 0..1, not clamped."""

    is_quality: bool
    low: float
    high: float
    weight: float = 1.0

    def normalised(self, raw: float) -> float:
        """Place a raw value between the published ends."""
        return (raw - self.low) / (self.high - self.low)


DIMENSIONS: dict[str, Dimension] = {
    "subject_consistency": Dimension(True, 0.1462, 1.0),
    "background_consistency": Dimension(True, 0.2615, 1.0),
    "temporal_flickering": Dimension(True, 0.6293, 1.0),
    "motion_smoothness": Dimension(True, 0.706, 0.9975),
    "dynamic_degree": Dimension(True, 0.0, 1.0, 0.5),
    "aesthetic_quality": Dimension(True, 0.0, 1.0),
    "imaging_quality": Dimension(True, 0.0, 1.0),
    "object_class": Dimension(False, 0.0, 1.0),
    "multiple_objects": Dimension(False, 0.0, 1.0),
    "human_action": Dimension(False, 0.0, 1.0),
    "color": Dimension(False, 0.0, 1.0),
    "spatial_relationship": Dimension(False, 0.0, 1.0),
    "scene": Dimension(False, 0.0, 0.8222),
    "appearance_style": Dimension(False, 0.0009, 0.2855),
    "temporal_style": Dimension(False, 0.0, 0.364),
    "overall_consistency": Dimension(False, 0.0, 0.364),
}


@dataclass(frozen=True)
class VbenchScores:
    """In 0..1. A missing dimension counts as raw 0, as in the published program: compare only where none is missing."""

    total: float
    quality: float
    semantic: float
    missing: tuple[str, ...]


def total_score(quality: float, semantic: float) -> float:
    """Weigh Quality and Semantic as published: four to one, on any scale."""
    return (QUALITY_WEIGHT * quality + SEMANTIC_WEIGHT * semantic) / (QUALITY_WEIGHT + SEMANTIC_WEIGHT)


def vbench_scores(raw: Mapping[str, float]) -> VbenchScores:
    """Aggregate raw values (0..1) by dimension. Raises ValueError for unknown dimensions and what is no number."""
    for name, value in raw.items():
        if name not in DIMENSIONS:
            raise ValueError(f"{name} is no VBench dimension; there are {', '.join(DIMENSIONS)}")
        if not math.isfinite(value):
            raise ValueError(f"VBench's {name} is {value}, a number is needed")
    quality, semantic = (_mean(raw, is_quality) for is_quality in (True, False))
    missing = tuple(name for name in DIMENSIONS if name not in raw)
    return VbenchScores(total_score(quality, semantic), quality, semantic, missing)


def _mean(raw: Mapping[str, float], is_quality: bool) -> float:
    group = {name: one for name, one in DIMENSIONS.items() if one.is_quality == is_quality}
    values = sum(one.weight * one.normalised(raw.get(name, 0.0)) for name, one in group.items())
    return values / sum(one.weight for one in group.values())
