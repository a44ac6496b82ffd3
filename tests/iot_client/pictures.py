"""Pictures of barcodes as people hold them up, clean or spoilt; every spoiling is seeded."""

from pathlib import Path

import numpy as np
import qrcode
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]


def code(text: str, module_px: int = 6) -> Grey:
    """The barcode alone, with its quiet zone, as the receipt prints it."""
    maker = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4, box_size=module_px)
    maker.add_data(text, optimize=0)
    maker.make()
    return np.asarray(maker.make_image().get_image().convert("L"), dtype=np.uint8)


def photo(*codes: Grey, width: int = 1280, height: int = 960) -> Grey:
    """The codes side by side on a grey table."""
    table = np.full((height, width), 190, dtype=np.uint8)
    room = width // max(len(codes), 1)
    for place, one in enumerate(codes):
        top, left = (height - one.shape[0]) // 2, place * room + (room - one.shape[1]) // 2
        table[top : top + one.shape[0], left : left + one.shape[1]] = one
    return table


def save(picture: Grey, path: Path) -> Path:
    """Write it as whoever puts pictures into an inbox does: under a hidden name, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    Image.fromarray(picture).save(draft, path.suffix.removeprefix(".").replace("jpg", "jpeg"))
    return draft.replace(path)


def save_code(text: str, path: Path) -> Path:
    """A clean photo of one barcode."""
    return save(photo(code(text)), path)
