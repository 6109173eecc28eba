"""What a model does with prompts: does it show what was asked, blend, switch, drift, freeze. Each section by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.evaluation.asked_pictures import Asked, held_out_captions, pairs
from engine.evaluation.classifier import WINDOW_FRAMES, Classifier
from engine.evaluation.picture_log import PictureLog
from engine.evaluation.reward_scores import reward_figures
from engine.evaluation.streams import Advance, PromptAt, Streams
from engine.evaluation.video_report import ChunkGrid, Figures, figures_of, mean_figures, measure_video, rounded
from engine.rewards.protocol import RewardModel
from engine.training.clips.families import FAMILIES

BLEND_SHARE = 0.25  # of the classifier's probability that each of two blended families should have
VISIBLE_CHANGE = 2.0  # mean absolute difference in 0..255 from the same stream without the switch
SETTLE_S = 1.0  # of a stream before the classifier looks
DRIFT_PROMPTS = ("blue plasma", "a drop of black ink blooms in clear water", "orange fire", "teal aurora")
HOUR_PROMPT = "violet smoke"
LUMINANCE_RANGE = (3.0, 250.0)
LONGEST_STILL_S = 2.0


@dataclass(frozen=True)
class Judges:
    """Who looks at the streams: a classifier, None where there is none, and rewards by name."""

    classifier: Classifier | None = None
    rewards: Mapping[str, RewardModel] = field(default_factory=dict)


@dataclass(frozen=True)
class Extent:
    """How much is made: counts of streams and their lengths."""

    seconds: float = 4.0  # per prompt, per blend
    captions: int = 70
    blends: int = 20
    switches: int = 6
    drift_s: float = 600.0
    hour_s: float = 3600.0
    seed: int = 0


class ModelReport:
    """Makes streams of one model and judges them."""

    def __init__(self, streams: Streams, judges: Judges, extent: Extent, advance: Advance) -> None:
        """Without a classifier what a picture shows is not judged. `advance` hears of frames made."""
        self._streams, self._classifier, self._extent, self._advance = streams, judges.classifier, extent, advance
        self._rewards = judges.rewards
        self._grid = ChunkGrid(streams.chunk_frames, streams.first_boundary)

    def captions(self) -> Figures:
        """Held-out captions: how often family and palette are those that were asked for."""
        return self.prompts(held_out_captions(self._extent.captions))

    def prompts(self, asked: Sequence[Asked]) -> Figures:
        """A stream per sentence: what it shows, and whether the picture is stable."""
        rows = []
        for number, one in enumerate(asked):
            clip = self._clip((PromptAt((one.text,)),), number, self._extent.seconds)
            row: Figures = {"text": one.text, "family": one.family, "palette": one.palette}
            if self._classifier is not None:
                seen = self._classifier.opinion(self._settled(clip))
                row |= {"family_seen": seen.family, "palette_seen": seen.palette}
            figures = measure_video(clip, self._streams.rate_hz, self._grid).figures
            row |= reward_figures(self._rewards, clip, one.text)
            rows.append(row | {"is_stable": is_stable(figures)} | figures)
        means = mean_figures(rows)
        return rounded(
            {
                "family_accuracy": accuracy(rows, "family"),
                "palette_accuracy": accuracy(rows, "palette"),
                "stable_share": share([bool(row["is_stable"]) for row in rows]),
                **{name: value for name, value in means.items() if name.startswith("reward_")},
                "means": means,
                "prompts": rows,
            }
        )

    def blends(self) -> Figures:
        """Two families half and half: how often both are seen in the picture."""
        assert self._classifier is not None, "blends are for the classifier to judge"
        names, rows = list(FAMILIES), []
        for number, (first, second) in enumerate(pairs(self._extent.blends)):
            prompt = PromptAt((first.text, second.text), (0.5, 0.5))
            clip = self._clip((prompt,), number, self._extent.seconds)
            families = self._classifier.opinion(self._settled(clip)).families
            shares = [families[names[names.index(one.family)]] for one in (first, second)]
            rows.append({"first": first.text, "second": second.text, "shares": shares})
        both = share([min(row["shares"]) >= BLEND_SHARE for row in rows])
        return rounded({"both_seen_share": both, "blends": rows})

    def switches(self) -> Figures:
        """How many frames after it was asked for another prompt is seen, asked one frame into a chunk: the worst case.

        `visible`: the picture differs from the same stream without the switch. `arrived`: the classifier finds the new
        family likelier than the old one for good.
        """
        rate_hz = self._streams.rate_hz
        chunks = max(1, round(3.0 * rate_hz / self._streams.chunk_frames))
        asked_at = self._streams.first_boundary + chunks * self._streams.chunk_frames + 1
        seconds = asked_at / rate_hz + 4.0
        rows = []
        for number, (first, second) in enumerate(pairs(self._extent.switches)):
            before = PromptAt((first.text,))
            switched = self._clip((before, PromptAt((second.text,), frame=asked_at)), number, seconds)
            unswitched = self._clip((before,), number, seconds)
            rows.append(
                {
                    "from": first.text,
                    "to": second.text,
                    "visible_frames": first_visible(switched, unswitched, asked_at),
                    "arrived_frames": self._arrived(switched, first, second, asked_at),
                }
            )
        visible = [row["visible_frames"] for row in rows]
        return rounded(
            {
                "chunk_frames": self._streams.chunk_frames,
                "worst_visible_frames": None if None in visible or not visible else max(visible),
                "median_arrived_frames": _median([row["arrived_frames"] for row in rows]),
                "switches": rows,
            }
        )

    def drift(self) -> Figures:
        """Ten minutes of each of a few prompts: drift, seams, standstill."""
        rows = [self._long(prompt, number, self._extent.drift_s) for number, prompt in enumerate(DRIFT_PROMPTS)]
        return {
            "worst_mean": max((row["drift_mean"] for row in rows if "drift_mean" in row), default=None),
            "worst_contrast": max((row["drift_contrast"] for row in rows if "drift_contrast" in row), default=None),
            "worst_seam": max((row["seam"] for row in rows if row["seam"] is not None), default=None),
            "prompts": rows,
        }

    def hour(self) -> Figures:
        """One long stream: it neither stands still for two seconds nor goes black or white."""
        row = self._long(HOUR_PROMPT, 0, self._extent.hour_s)
        return {"is_stable": is_stable(row)} | row

    def frames_of(self, section: str, prompts: int = 0) -> int:
        """How many frames a section makes, for the time left."""
        extent, rate_hz = self._extent, self._streams.rate_hz
        seconds = {
            "captions": extent.captions * extent.seconds,
            "prompts": prompts * extent.seconds,
            "blends": extent.blends * extent.seconds,
            "switches": extent.switches * 2 * 7.5,
            "drift": len(DRIFT_PROMPTS) * extent.drift_s,
            "hour": extent.hour_s,
        }
        return round(seconds[section] * rate_hz)

    def _clip(self, prompts: Sequence[PromptAt], number: int, seconds: float) -> np.ndarray:
        frames = max(WINDOW_FRAMES, round(seconds * self._streams.rate_hz))
        return self._streams.clip(prompts, self._extent.seed + number, frames, self._advance)

    def _settled(self, clip: np.ndarray) -> np.ndarray:
        return clip[min(round(SETTLE_S * self._streams.rate_hz), len(clip) - WINDOW_FRAMES) :]

    def _long(self, prompt: str, number: int, seconds: float) -> Figures:
        log = PictureLog()
        frames = round(seconds * self._streams.rate_hz)
        for part in self._streams.frames((PromptAt((prompt,)),), self._extent.seed + number, frames):
            for frame in part:
                log.add(frame)
            self._advance(len(part))
        return {"text": prompt} | rounded(figures_of(log, self._streams.rate_hz, self._grid))

    def _arrived(self, clip: np.ndarray, first: Asked, second: Asked, asked_at: int) -> int | None:
        if self._classifier is None:
            return None
        names = list(FAMILIES)
        after = clip[asked_at:]
        families, _ = self._classifier.probabilities(after)
        ahead = families[:, names.index(second.family)] > families[:, names.index(first.family)]
        behind = np.flatnonzero(~ahead)
        window = 0 if not len(behind) else int(behind[-1]) + 1
        step = (len(after) - WINDOW_FRAMES) // max(1, len(ahead) - 1)
        return window * step if window < len(ahead) else None


Section = Callable[[ModelReport], Figures]


def first_visible(switched: np.ndarray, unswitched: np.ndarray, asked_at: int) -> int | None:
    """Frames from the asking until two streams (T, H, W, 3) uint8 differ visibly; None when they never do."""
    for frame in range(asked_at, len(switched)):
        change = np.abs(switched[frame].astype(np.int16) - unswitched[frame]).mean()
        if change >= VISIBLE_CHANGE:
            return frame - asked_at
    return None


def is_stable(figures: Figures) -> bool:
    """Whether a video neither stands still for two seconds nor goes dark nor burns out."""
    low, high = LUMINANCE_RANGE
    is_lit = low <= figures["least_luminance"] and figures["most_luminance"] <= high
    return is_lit and figures["longest_still_s"] < LONGEST_STILL_S


def accuracy(rows: Sequence[Figures], what: str) -> float | None:
    """Share of the rows that ask for a `what` in which it is seen; None where none asks or none was judged."""
    judged = [row for row in rows if row[what] and f"{what}_seen" in row]
    return share([row[what] == row[f"{what}_seen"] for row in judged])


def share(answers: Sequence[bool]) -> float | None:
    """Share of yes; None of nothing."""
    return sum(answers) / len(answers) if answers else None


def _median(values: Sequence[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
