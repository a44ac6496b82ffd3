"""Cuts a picture down to where something is drawn: bare table, wall and hand cost as much to read as a barcode."""

import cv2
import numpy as np
from numpy.typing import NDArray

from iot_client.scanner.picture import Grey

BLOCK = 16
AROUND = 31
"""Wider than the widest dark run of a near code, so that all of it differs from the mean around."""
BUSY_SHARE = 0.3
LEAST_DEVIATION = 2


def busy_part(grey: Grey) -> Grey:
    """The smallest rectangle that holds every busy block, and a margin for the quiet zone; a view, not a copy."""
    if min(grey.shape) < 2 * BLOCK:
        return grey
    rough = _roughness(grey)
    busy = np.asarray(rough >= max(int(rough.max()) * BUSY_SHARE, LEAST_DEVIATION))
    return grey[_span(busy, 1), _span(busy, 0)]


def _roughness(grey: Grey) -> Grey:
    """How far the pixels of each block are from the mean around them, on average."""
    deviation = cv2.absdiff(grey, cv2.blur(grey, (AROUND, AROUND)))
    height, width = grey.shape
    size = (-(-width // BLOCK), -(-height // BLOCK))
    return np.asarray(cv2.resize(deviation, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _span(busy: NDArray[np.bool_], across: int) -> slice:
    """From the first busy block to the last, two blocks more on both sides; all of it if none is busy."""
    found = np.flatnonzero(busy.any(axis=across))
    if not len(found):
        return slice(None)
    return slice(max(0, (int(found[0]) - 2) * BLOCK), (int(found[-1]) + 3) * BLOCK)
