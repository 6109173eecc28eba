"""Frames of clips over any span of time, on any device. Knows nothing of captions, files or models."""

import dataclasses
import math
from collections.abc import Mapping

import torch
from torch import Tensor

from engine.training.clips import ruled
from engine.training.clips.families import FAMILIES
from engine.training.clips.field import Dice, Field
from engine.training.clips.finishes import finish_field, lay_on_ground
from engine.training.clips.palettes import PALETTES, Stops, colours
from engine.training.clips.spec import CONTENT_RATE_HZ, KALEIDOSCOPE, SPEEDS, SWITCH_FRAMES, ClipPlan, ClipSpec
from engine.training.clips.view import Camera, View, look, still_camera

SPAN_FRAMES = 4  # drawn at once: small enough for a processor's cache, which is three times as fast
EVENT_SALT = 0x5EED  # cameras and events have dice of their own: the picture stays the same without them
ZOOM_STEP = 1.7  # between the layers of an endless zoom
HELD = 0.38  # share of a freezing clip in which it stands
RIPPLE = 0.06  # how far a drop's ring bends the picture, in heights


@dataclasses.dataclass(frozen=True)
class Lines:
    """The frame's own coordinates in heights: columns (1, 1, W), rows (1, H, 1), and the size of a pixel."""

    columns: Tensor
    rows: Tensor
    per_pixel: float


def _event_phase(spec: ClipSpec, seconds: Tensor, dice: Dice) -> tuple[Tensor, float]:
    """Return how long ago the last event began, in seconds, and how long it is from one to the next."""
    period, first = dice.number(2.2, 3.4), dice.number(0.3, 1.4)
    return torch.remainder(seconds - first, period), period


def _frozen(seconds: Tensor, age: Tensor, period: float) -> Tensor:
    """Clip time that stands still for a share of every period."""
    runs = (1.0 - HELD) * period
    return (seconds - age) * (1.0 - HELD) + age.clamp(max=runs)


def _camera(spec: ClipSpec, t: Tensor, dice: Dice) -> Camera:
    """The camera of a clip, an endless zoom aside."""
    plain = still_camera(t)
    way = 1.0 if dice.number(0.0, 1.0) < 0.5 else -1.0
    phase, rate = dice.number(0.0, 2.0 * math.pi), dice.number(0.25, 0.4)
    if spec.camera == "turn":
        return dataclasses.replace(plain, angle=way * rate * t + phase)
    if spec.camera == "drift":  # there and back: what has a middle does not leave the picture
        return dataclasses.replace(
            plain, shift_x=0.22 * way * torch.sin(0.9 * rate * t + phase), shift_y=0.10 * torch.sin(1.4 * rate * t)
        )
    return plain


def _layers(spec: ClipSpec, camera: Camera, t: Tensor) -> list[tuple[Camera, Tensor | None]]:
    """The camera, or the two layers an endless zoom is made of with the second's weight: as one leaves, one comes."""
    if spec.camera not in ("in", "out"):
        return [(camera, None)]
    rate = 0.16 if spec.camera == "in" else -0.16
    part = torch.remainder(rate * t, 1.0)
    near, far = (dataclasses.replace(camera, scale=ZOOM_STEP ** (offset - part)) for offset in (0.0, 1.0))
    return [(near, None), (far, torch.sin(0.5 * math.pi * part) ** 2)]


def _ripple(view: View, age: Tensor, dice: Dice) -> View:
    """Bend a view by the ring that a drop sends out."""
    dx, dy = view.x - dice.number(-0.4, 0.4), view.y - dice.number(-0.25, 0.25)
    r = torch.sqrt(dx * dx + dy * dy + 1e-4)
    off = (r - 0.55 * age) / 0.09
    push = RIPPLE * torch.exp(-off * off - 0.6 * age) * torch.sin(2.5 * off) / r
    return dataclasses.replace(view, x=view.x + push * dx, y=view.y + push * dy)


def _mix(first: Field, second: Field, share: Tensor | float, gain: Tensor | float) -> Field:
    """Blend two fields; `gain` gives back the contrast that the mean of two unlike fields loses."""
    value = 0.5 + gain * (first.value - 0.5 + share * (second.value - first.value))

    def part(a: Tensor | None, b: Tensor | None) -> Tensor | None:
        if a is None and b is None:
            return None
        a = torch.ones_like(first.value) if a is None else a
        b = torch.ones_like(second.value) if b is None else b
        return a + share * (b - a)

    covers = (field.light if field.cover is None else field.cover for field in (first, second))
    return Field(value.clamp(0.0, 1.0), part(first.light, second.light), part(*covers))


def _draw_field(spec: ClipSpec, lines: Lines, frames: Tensor) -> Field:
    """Draw a picture's field at frame numbers (T,)."""
    device = frames.device
    aside = Dice(spec.seed ^ EVENT_SALT)
    dice = Dice(spec.seed, device)
    seconds = frames[:, None, None] / CONTENT_RATE_HZ
    age, period = _event_phase(spec, seconds, aside)
    if spec.event == "freeze":
        seconds = _frozen(seconds, age, period)
    t = dice.number(0.0, 20.0) + SPEEDS[spec.speed] * seconds
    columns = lines.columns * spec.zoom
    rows = lines.rows * spec.zoom
    if spec.mirror != "none":
        columns = columns.abs() - 0.28  # off the middle, so that the fold is not the picture's own centre
        rows = rows.abs() - 0.16 if spec.mirror == "both" else rows
    burst = torch.exp(-3.0 * age) if spec.event == "burst" else None
    camera = _camera(spec, t, aside)
    if burst is not None:
        camera = dataclasses.replace(camera, scale=camera.scale * (1.0 - 0.2 * burst))
    field = None
    for layer, weight in _layers(spec, camera, t):
        view = look(columns, rows, t, layer)
        if spec.event == "drop":
            view = _ripple(view, age, Dice(spec.seed ^ EVENT_SALT))
        drawn = _draw_family(spec, view, Dice(spec.seed ^ 1, device), len(frames), (len(rows[0]), columns.shape[-1]))
        field = drawn if field is None else _mix(field, drawn, weight, 1.0 + 0.3 * torch.sin(math.pi * weight))
    if burst is not None:
        light = None if field.light is None else (field.light * (1.0 + 1.2 * burst)).clamp(max=1.0)
        field = Field((field.value + 0.22 * burst).clamp(max=1.0), light, field.cover)
    return field


def _draw_family(spec: ClipSpec, view: View, dice: Dice, frames: int, size: tuple[int, int]) -> Field:
    if spec.family == KALEIDOSCOPE:
        field = ruled.kaleidoscope(view, dice, spec.sectors)
    else:
        field = FAMILIES[spec.family].draw(view, dice)
    parts = (part if part is None else part.expand(frames, *size) for part in (field.value, field.light, field.cover))
    return Field(*parts)


def _draw_picture(spec: ClipSpec, lines: Lines, frames: Tensor, palettes: Mapping[str, Stops]) -> Tensor:
    stops = colours(palettes[spec.palette], frames.device)
    field = _draw_field(spec, lines, frames)
    image = finish_field(field, stops, spec.finish, lines.per_pixel)
    return lay_on_ground(image, field, stops, spec.ground).clamp(0.0, 1.0)


def _draw_span(plan: ClipPlan, lines: Lines, frames: Tensor, palettes: Mapping[str, Stops]) -> Tensor:
    """Draw one short span (T, 3, H, W) in [0, 1]."""
    first, second = plan.first, plan.second
    if plan.switch_frame and second is not None:
        share = ((frames - plan.switch_frame) / SWITCH_FRAMES).clamp(0.0, 1.0)
        if bool((share == 0.0).all()):
            return _draw_span(ClipPlan(first), lines, frames, palettes)
        after = _draw_span(ClipPlan(second), lines, frames, palettes)
        if bool((share == 1.0).all()):
            return after
        before = _draw_span(ClipPlan(first), lines, frames, palettes)
        return before + share[:, None, None, None] * (after - before)
    image = _draw_picture(first, lines, frames, palettes)
    if second is None:
        return image
    # as light adds up, not as pigments do: what shines in either shines in both, and colours stay colours
    other = _draw_picture(second, lines, frames, palettes)
    return ((1.0 - plan.share) * image.square() + plan.share * other.square()).sqrt()


def _draw(
    plan: ClipPlan, lines: Lines, first_frame: float, frames: int, palettes: Mapping[str, Stops] = PALETTES
) -> Tensor:
    device = lines.columns.device
    like = {"device": device, "dtype": lines.columns.dtype}
    clip = torch.empty(frames, 3, lines.rows.shape[1], lines.columns.shape[2], **like)
    # the device's own loop needs no cache of four frames
    step = SPAN_FRAMES if torch.device(device).type == "cpu" else frames
    for start in range(0, frames, step):
        numbers = first_frame + torch.arange(start, min(start + step, frames), **like)
        clip[start : start + step] = _draw_span(plan, lines, numbers, palettes)
    return clip.mul_(2.0).sub_(1.0)


def draw_plan(
    plan: ClipPlan,
    size: tuple[int, int],
    first_frame: int,
    frames: int,
    palettes: Mapping[str, Stops] = PALETTES,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Draw `frames` whole frames of (height, width) from `first_frame` on: (T, 3, H, W) in [-1, 1].

    The same plan is the same clip on every device, but for the last bits of its sines.
    """
    height, width = size
    rows = (torch.arange(height, device=device) + 0.5 - height / 2) / height
    columns = (torch.arange(width, device=device) + 0.5 - width / 2) / height
    lines = Lines(columns[None, None], rows[None, :, None], 1.0 / height)
    return _draw(plan, lines, float(first_frame), frames, palettes)


def draw_clip(spec: ClipSpec, height: int, width: int, first_frame: int, frames: int) -> Tensor:
    """Draw `frames` whole frames of one picture from `first_frame` on: (T, 3, H, W) in [-1, 1]."""
    return draw_plan(ClipPlan(spec), (height, width), first_frame, frames)


def draw_crop(spec: ClipSpec, size: int, frames: int, generator: torch.Generator) -> Tensor:
    """Draw a square part of a clip at a random place, scale and time: (T, 3, size, size) in [-1, 1]."""
    place = torch.rand(4, generator=generator)
    per_pixel = 1.0 / (96.0 + 64.0 * float(place[0]))  # as in frames of 96 to 160 lines
    line = (torch.arange(size) + 0.5 - size / 2) * per_pixel
    rows, columns = line + float(place[1]) * 0.6 - 0.3, line + float(place[2]) * 1.2 - 0.6
    lines = Lines(columns[None, None], rows[None, :, None], per_pixel)
    return _draw(ClipPlan(spec), lines, 200.0 * float(place[3]), frames)
