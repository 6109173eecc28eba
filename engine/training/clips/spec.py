"""What a clip looks like: family, palette and all else that is drawn or told. Knows nothing of drawing or captions."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from engine.training.clips.families import FAMILIES
from engine.training.clips.palettes import PALETTES

CONTENT_RATE_HZ = 16.0
CLIP_FRAMES = 57  # 15 latent frames, 3.6 seconds
SPEEDS: dict[str, float] = {"slow": 0.4, "normal": 1.0, "fast": 2.2}  # times the family's own pace
CAMERAS = ("still", "in", "out", "turn", "drift")
GROUNDS = ("own", "white", "gradient", "colour")  # own: the palette's dark
FINISHES = ("plain", "outline", "gloss", "matte", "pastel")
EVENTS = ("none", "burst", "freeze", "drop")
MIRRORS = ("none", "sides", "both")
SECTORS = (3, 8)  # of a kaleidoscope, both possible
KALEIDOSCOPE = "kaleidoscope"
SWITCH_FRAMES = 8  # how long a switch of the prompt fades: half a second
SWITCH_FRAMES_AT = (9, 21)  # where one may begin: the second and third chunk of three latent frames


@dataclass(frozen=True)
class ClipSpec:
    """Everything that decides the pixels of one picture. `zoom` is frame heights of picture per frame height shown.

    `sectors` is a kaleidoscope's alone; 0 leaves it to the seed.
    """

    family: str
    palette: str
    speed: str
    seed: int
    zoom: float = 1.0
    camera: str = "still"
    ground: str = "own"
    finish: str = "plain"
    event: str = "none"
    mirror: str = "none"
    sectors: int = 0


@dataclass(frozen=True)
class ClipPlan:
    """A clip of one picture, or of two: blended by `share` of the second, or switched to it at `switch_frame`."""

    first: ClipSpec
    second: ClipSpec | None = None
    share: float = 0.0
    switch_frame: int = 0  # 0 = no switch

    def flat(self) -> tuple:
        """Return what `plan_from` reads: plain values, for files."""
        second = None if self.second is None else dataclasses.astuple(self.second)
        return (dataclasses.astuple(self.first), second, self.share, self.switch_frame)


def plan_from(values: Sequence) -> ClipPlan:
    """Read what `ClipPlan.flat` returned."""
    first, second, share, switch_frame = values
    return ClipPlan(ClipSpec(*first), None if second is None else ClipSpec(*second), share, switch_frame)


@dataclass(frozen=True)
class Variety:
    """How often a clip is anything but plain: shares in 0..1. What its family does not allow stays plain."""

    camera: float = 0.4
    ground: float = 0.3
    finish: float = 0.35
    event: float = 0.15
    mirror: float = 0.12
    blend: float = 0.1
    switch: float = 0.1

    def times(self, factor: float) -> "Variety":
        """Return every share times `factor`, at most 1."""
        shares = {name: min(1.0, factor * share) for name, share in dataclasses.asdict(self).items()}
        return Variety(**shares)


PLAIN = Variety(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class _Lot:
    """Draws for specs, in a fixed order: every draw is made, wanted or not, so that shares do not move other draws."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def share(self) -> float:
        return float(torch.rand((), generator=self._generator))

    def choose(self, names: Sequence[str]) -> str:
        return names[int(torch.randint(len(names), (), generator=self._generator))]

    def sometimes(self, share: float, names: Sequence[str]) -> str:
        """Return the first name, which is the plain one, but with probability `share` one of the others."""
        is_wanted, other = self.share() < share, self.choose(names[1:] or names)
        return other if is_wanted and len(names) > 1 else names[0]


def random_spec(generator: torch.Generator, variety: Variety = PLAIN) -> ClipSpec:
    """Draw a picture: families, palettes and speeds equally often, the rest as `variety` says."""
    lot = _Lot(generator)
    name = lot.choose(list(FAMILIES))
    palette = lot.choose(list(PALETTES))
    speed = lot.choose(list(SPEEDS))
    seed = int(torch.randint(2**31 - 1, (), generator=generator))
    spec = ClipSpec(name, palette, speed, seed, 0.75 + 0.5 * lot.share())
    if variety == PLAIN:
        return spec
    family = FAMILIES[name]
    cameras = [camera for camera in CAMERAS if may_move(name, camera)]
    spec = dataclasses.replace(
        spec,
        camera=lot.sometimes(variety.camera, cameras),
        ground=lot.sometimes(variety.ground, GROUNDS if family.has_ground else GROUNDS[:1]),
        finish=lot.sometimes(variety.finish, FINISHES),
        event=lot.sometimes(variety.event, EVENTS if family.ripples else EVENTS[:-1]),
        mirror=lot.sometimes(variety.mirror, _mirrors(name)),
    )
    sectors = int(torch.randint(SECTORS[0], SECTORS[1] + 1, (), generator=generator))
    return dataclasses.replace(spec, sectors=sectors) if name == KALEIDOSCOPE else spec


def _plain(spec: ClipSpec) -> ClipSpec:
    """Return a picture without what its family could do without."""
    return ClipSpec(spec.family, spec.palette, spec.speed, spec.seed, spec.zoom, sectors=spec.sectors)


def may_move(family: str, camera: str) -> bool:
    """Tell whether a family stays what it is under a camera."""
    kind = FAMILIES[family]
    return {"turn": kind.turns, "in": kind.zooms, "out": kind.zooms}.get(camera, True)


def _mirrors(family: str) -> Sequence[str]:
    kind = FAMILIES[family]
    if not kind.mirrors:
        return MIRRORS[:1]
    return MIRRORS if kind.turns else MIRRORS[:2]  # what stands upright is not mirrored upside down


def random_plan(generator: torch.Generator, variety: Variety) -> ClipPlan:
    """Draw a clip: one picture, at times a blend of two families or a switch from one to another."""
    lot = _Lot(generator)
    kind, share = lot.share(), 0.2 + 0.6 * lot.share()
    at = SWITCH_FRAMES_AT[int(torch.randint(len(SWITCH_FRAMES_AT), (), generator=generator))]
    first, second = random_spec(generator, variety), random_spec(generator, variety)
    if kind < variety.switch:
        return ClipPlan(first, second, switch_frame=at)
    if kind < variety.switch + variety.blend and second.family != first.family:
        # two pictures in one are enough to tell; nothing else varies
        return ClipPlan(_plain(first), _plain(second), share=share)
    return ClipPlan(first)
