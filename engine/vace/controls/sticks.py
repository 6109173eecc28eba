"""People drawn as OpenPose draws them: a bone in the colour of its place on the wheel, a dot on each joint."""

from __future__ import annotations

import colorsys

import numpy as np

# Joints as COCO counts them, in OpenPose's order; -1 is the neck, between the shoulders (5 and 6).
ORDER = (0, -1, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
BONES = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
BONE_LIGHT = 0.6  # of a dot's
THICKNESS = 1 / 120  # of the picture's height
WHEEL_STEP = 20  # degrees of hue from one to the next


def draw_people(people: np.ndarray, height: int, width: int, least: float) -> np.ndarray:
    """Draw joints (N, 17, 3) of COCO, x and y in pixels and how sure: (H, W, 3) uint8. Below `least` none is drawn."""
    import cv2

    canvas = np.zeros((height, width, 3), np.uint8)
    thick = max(2, round(height * THICKNESS))
    for person in people:
        joints = _with_neck(person)
        for number, (begin, end) in enumerate(BONES):
            if min(joints[begin, 2], joints[end, 2]) >= least:
                shade = tuple(round(BONE_LIGHT * part) for part in _colour(number))
                cv2.line(canvas, _point(joints[begin]), _point(joints[end]), shade, 2 * thick, cv2.LINE_AA)
        for number, joint in enumerate(joints):
            if joint[2] >= least:
                cv2.circle(canvas, _point(joint), thick, _colour(number), -1, cv2.LINE_AA)
    return canvas


def _with_neck(person: np.ndarray) -> np.ndarray:
    neck = (person[5] + person[6]) / 2
    neck[2] = min(person[5, 2], person[6, 2])
    return np.stack([neck if joint < 0 else person[joint] for joint in ORDER])


def _point(joint: np.ndarray) -> tuple[int, int]:
    limit = 1 << 20  # far outside any picture, and inside what OpenCV draws
    return tuple(round(float(np.clip(place, -limit, limit))) for place in joint[:2])


def _colour(number: int) -> tuple[int, int, int]:
    return tuple(round(255 * part) for part in colorsys.hsv_to_rgb(number * WHEEL_STEP / 360.0, 1.0, 1.0))
