"""From grey pixels to text: zbar first, OpenCV's detector second, then the same on mended pictures.

Only the busy part of the picture is read. The order is by cost: a clean picture is read by the first step in a few
milliseconds, and only what nobody could read so far pays for the next; the whole picture comes last.
"""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from pyzbar.pyzbar import ZBarSymbol  # type: ignore[import-untyped]
from pyzbar.pyzbar import decode as zbar_decode

from iot_client.scanner import Reading, Unread
from iot_client.scanner.crop import busy_part
from iot_client.scanner.picture import Grey

Mend = Callable[[Grey], Grey | None]

MODULES = 49
QUIET = 4
MODULE_PX = 8
LARGEST_SIDE = 2_048
WORTHWHILE = 1.2


def read_code(grey: Grey) -> Reading:
    """The one QR code in the picture; two different ones are said, not guessed."""
    for step, texts in _attempts(grey):
        if len(texts) == 1:
            return Reading(texts.pop(), step=step)
        if texts:
            return Reading(None, Unread.TWO_CODES, step)
    return Reading(None, Unread.NO_CODE, "none")


def _attempts(grey: Grey) -> Iterator[tuple[str, set[str]]]:
    part = busy_part(grey)
    yield "zbar", by_zbar(part)
    for name, mend, read in STEPS:
        mended = mend(part)
        if mended is not None:
            yield name, read(mended)
    if part.size < grey.size:
        yield "whole", by_zbar(grey)
        yield "whole, contrast", by_zbar(_contrast(grey))


def by_zbar(grey: Grey) -> set[str]:
    """The texts that zbar finds."""
    found = zbar_decode(np.ascontiguousarray(grey), symbols=[ZBarSymbol.QRCODE])
    return {code.data.decode("utf-8", "replace") for code in found if code.data}


def by_opencv(grey: Grey) -> set[str]:
    """The texts that OpenCV's detector finds."""
    try:
        _, texts, _, _ = cv2.QRCodeDetector().detectAndDecodeMulti(grey)
    except (cv2.error, UnicodeDecodeError):
        # Its homography step asserts on degenerate corner points: nothing was found.
        return set()
    return {text for text in texts if text}


def _contrast(grey: Grey) -> Grey:
    return np.asarray(cv2.createCLAHE(3.0, (8, 8)).apply(grey), dtype=np.uint8)


def _threshold(grey: Grey) -> Grey:
    block = max(grey.shape) // 24 | 1
    return np.asarray(
        cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, max(block, 3), 4),
        dtype=np.uint8,
    )


def _inverted(grey: Grey) -> Grey:
    return np.asarray(255 - grey, dtype=np.uint8)


def _scaled(factor: float) -> Mend:
    def scale(grey: Grey) -> Grey | None:
        # Beyond this side OpenCV's detector alone takes 60 MB.
        by = min(factor, LARGEST_SIDE / max(grey.shape))
        if 1 < by < WORTHWHILE or min(grey.shape) * by < 60:
            return None
        how = cv2.INTER_CUBIC if by > 1 else cv2.INTER_AREA
        return np.asarray(cv2.resize(grey, None, fx=by, fy=by, interpolation=how), dtype=np.uint8)

    return scale


def _smooth(grey: Grey) -> Grey:
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.2), dtype=np.uint8)


def _sharp(grey: Grey) -> Grey:
    return np.asarray(cv2.addWeighted(grey, 2.2, cv2.GaussianBlur(grey, (0, 0), 1.6), -1.2, 0), dtype=np.uint8)


def _flattened(grey: Grey) -> Grey | None:
    """The code seen straight from above, by the four corners that OpenCV finds."""
    try:
        found, corners = cv2.QRCodeDetector().detect(grey)
    except cv2.error:
        return None
    if not found or corners is None or cv2.contourArea(corners[0]) < 900:
        return None
    inner, outer = QUIET * MODULE_PX, (QUIET + MODULES) * MODULE_PX
    square = np.array([[inner, inner], [outer, inner], [outer, outer], [inner, outer]], dtype=np.float32)
    transform = cv2.getPerspectiveTransform(corners[0].astype(np.float32), square)
    side = outer + inner
    flat = cv2.warpPerspective(grey, transform, (side, side), flags=cv2.INTER_CUBIC, borderValue=255.0)
    return np.asarray(flat, dtype=np.uint8)


def _same(grey: Grey) -> Grey:
    return grey


def _both(first: Mend, second: Mend) -> Mend:
    def mend(grey: Grey) -> Grey | None:
        once = first(grey)
        return None if once is None else second(once)

    return mend


STEPS: tuple[tuple[str, Mend, Callable[[Grey], set[str]]], ...] = (
    ("inverted", _inverted, by_zbar),
    ("contrast", _contrast, by_zbar),
    ("smoothed", _smooth, by_zbar),
    ("opencv", _same, by_opencv),
    ("threshold", _threshold, by_zbar),
    ("sharpened", _sharp, by_zbar),
    ("inverted, contrast", _both(_inverted, _contrast), by_zbar),
    ("inverted, threshold", _both(_inverted, _threshold), by_zbar),
    ("inverted, smoothed", _both(_inverted, _smooth), by_zbar),
    ("inverted, opencv", _inverted, by_opencv),
    ("contrast, opencv", _contrast, by_opencv),
    ("larger", _scaled(2.0), by_zbar),
    ("flattened", _flattened, by_zbar),
    ("smaller", _scaled(0.5), by_zbar),
    ("smoothed, opencv", _smooth, by_opencv),
    ("larger, opencv", _scaled(2.0), by_opencv),
    ("larger, sharpened", _both(_scaled(2.0), _sharp), by_zbar),
    ("larger, sharpened, opencv", _both(_scaled(2.0), _sharp), by_opencv),
    ("inverted, flattened", _both(_inverted, _flattened), by_zbar),
)
