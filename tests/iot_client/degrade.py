"""Barcodes as people hold them up: turned, tilted, blurred, dark, on a screen, creased; every picture by its seed.

The ranges were fixed before anything was measured: at least 3 pixels a module, blur up to 1.2 pixels, tilt up to
35 degrees, any rotation, JPEG from quality 20, and the strengths below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from contracts.voucher import encode_voucher, sign_voucher
from tests.iot_client.pictures import Grey, code

Real = NDArray[np.float32]
FINE_PX = 12
WIDTH, HEIGHT = 1280, 960


@dataclass(frozen=True)
class Ranges:
    """From where to where each spoiling is drawn."""

    module_px: tuple[float, float] = (3.0, 8.0)
    tilt: tuple[float, float] = (0.0, 35.0)
    blur: tuple[float, float] = (0.0, 1.2)
    noise: tuple[float, float] = (0.0, 12.0)
    light: tuple[float, float] = (0.25, 1.0)
    jpeg: tuple[float, float] = (20, 96)

    def at(self, factor: str, value: float) -> Ranges:
        """These ranges with one factor nailed down, for the curve of where reading ends."""
        return replace(self, **{factor: (value, value)})


FIXED = Ranges()


def voucher_text(dice: Generator) -> str:
    """A voucher as the receipt carries it."""
    key = dice.bytes(32)
    sale = "0x" + dice.bytes(20).hex()
    return encode_voucher(sign_voucher(key, chain_id=20261128, sale=sale, attempt=0, expires_at=1_900_000_000))


def spoilt(text: str, dice: Generator, ranges: Ranges = FIXED) -> tuple[Grey, tuple[str, ...]]:
    """A photograph of this barcode, and what is wrong with it."""
    names = tuple(map(str, dice.choice(list(SPOILINGS), size=dice.integers(0, 3), replace=False)))
    sheet: Real = code(text, FINE_PX).astype(np.float32)
    for name in names:
        sheet = SPOILINGS[name](sheet, dice)
    photo = _camera(_held(sheet, dice, ranges), dice, ranges)
    return _jpeg(photo, int(dice.uniform(*ranges.jpeg))), names


def _creased(sheet: Real, dice: Generator) -> Real:
    """Folded twice: each fold shifts one side by up to a third of a module and shades the line."""
    for _ in range(2):
        at = int(dice.integers(sheet.shape[0] // 8, sheet.shape[0] * 7 // 8))
        sheet[at:] = np.roll(sheet[at:], int(dice.integers(-FINE_PX // 3, FINE_PX // 3 + 1)), axis=1)
        sheet[max(0, at - 2) : at + 2] *= dice.uniform(0.6, 1.0)
        sheet = np.ascontiguousarray(sheet.T)
    return sheet


def _screen(sheet: Real, dice: Generator) -> Real:
    """A telephone's screen: a grid of pixels that beats with the camera's."""
    rows, columns = np.indices(sheet.shape).astype(np.float32)
    pitch, turn = dice.uniform(2.2, 5.0), dice.uniform(0, np.pi)
    wave = np.sin((rows * np.cos(turn) + columns * np.sin(turn)) * 2 * np.pi / pitch)
    return np.asarray(np.clip(sheet * (1 + 0.25 * wave) + 10, 0, 255), dtype=np.float32)


def _glare(sheet: Real, dice: Generator) -> Real:
    """A lamp's reflection over up to an eighth of the code's width."""
    rows, columns = np.indices(sheet.shape).astype(np.float32)
    centre = dice.uniform(0.3, 0.7, 2) * sheet.shape[0]
    radius = dice.uniform(0.03, 0.0625) * sheet.shape[0]
    distance = np.hypot(rows - centre[0], columns - centre[1])
    return np.asarray(np.clip(sheet + 255 * np.exp(-((distance / radius) ** 2)), 0, 255), dtype=np.float32)


def _inverted(sheet: Real, _dice: Generator) -> Real:
    return np.asarray(255 - sheet, dtype=np.float32)


def _shadow(sheet: Real, dice: Generator) -> Real:
    """A hand between lamp and paper: one side is darker."""
    ramp = np.linspace(1.0, dice.uniform(0.35, 0.7), sheet.shape[0], dtype=np.float32)
    return sheet * ramp[:, None]


SPOILINGS: dict[str, Callable[[Real, Generator], Real]] = {
    "creased": _creased,
    "screen": _screen,
    "glare": _glare,
    "inverted": _inverted,
    "shadow": _shadow,
}


def _held(sheet: Real, dice: Generator, ranges: Ranges) -> Real:
    """Turned and tilted before the camera, no module smaller than the range allows."""
    modules = sheet.shape[0] / FINE_PX
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * modules / 2
    turn, tilt, axis = dice.uniform(0, 2 * np.pi), np.radians(dice.uniform(*ranges.tilt)), dice.uniform(0, 2 * np.pi)
    flat = _about([0, 0, 1], turn) @ corners.T
    seen = _about([np.cos(axis), np.sin(axis), 0], tilt) @ flat
    distance = modules * 3
    depth = distance + seen[2]
    points = (seen[:2] / depth * distance).T
    shortest = min(np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1).min() / modules, np.cos(tilt))
    largest = (min(WIDTH, HEIGHT) - 20) / np.ptp(points, axis=0).max()
    scale = min(dice.uniform(*ranges.module_px) / shortest, largest)
    target = points * scale + np.array([WIDTH, HEIGHT]) / 2
    size = sheet.shape[0]
    source = np.array([[0, 0], [size, 0], [size, size], [0, size]], dtype=np.float32)
    homography = cv2.getPerspectiveTransform(source, target.astype(np.float32))
    # Averaged down first, as a lens does; else the fine sheet would alias where it becomes small.
    sharpness = max(FINE_PX / (scale * 2.5), 0.1)
    soft = cv2.GaussianBlur(sheet, (0, 0), sharpness)
    table = float(dice.uniform(90, 220))
    return np.asarray(cv2.warpPerspective(soft, homography, (WIDTH, HEIGHT), borderValue=table), dtype=np.float32)


def _about(axis: list[float], angle: float) -> NDArray[np.float64]:
    return np.asarray(cv2.Rodrigues(np.array(axis, dtype=np.float64) * angle)[0], dtype=np.float64)


def _camera(photo: Real, dice: Generator, ranges: Ranges) -> Real:
    blurred = cv2.GaussianBlur(photo, (0, 0), max(dice.uniform(*ranges.blur), 0.05))
    lit = blurred * dice.uniform(*ranges.light)
    noise = dice.normal(0, dice.uniform(*ranges.noise), photo.shape)
    return np.asarray(np.clip(lit + noise, 0, 255), dtype=np.float32)


def _jpeg(photo: Real, quality: int) -> Grey:
    kept = BytesIO()
    Image.fromarray(photo.astype(np.uint8)).save(kept, "JPEG", quality=quality)
    return np.asarray(Image.open(kept).convert("L"), dtype=np.uint8)
