"""Opens a picture as grey pixels and refuses bombs by their header, before a pixel is decoded."""

import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from iot_client.errors import PictureError
from iot_client.scanner import Unread

Grey = NDArray[np.uint8]

MAX_BYTES = 24 * 1024 * 1024
MAX_PIXELS = 50_000_000
LONGEST_SIDE = 1_600
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")


class RefusedPictureError(PictureError):
    """The picture is not decoded; `unread` says why."""

    def __init__(self, unread: Unread, message: str) -> None:
        super().__init__(message)
        self.unread = unread


def load_picture(path: Path) -> Grey:
    """Read a picture file as grey pixels, its longest side at most 1,600."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise RefusedPictureError(Unread.TOO_LARGE, f"the file has {size:,} bytes, at most {MAX_BYTES:,} are read")
    return open_picture(path.read_bytes())


def open_picture(content: bytes) -> Grey:
    """Decode a picture's bytes; raises `RefusedPictureError` for what is too large or no picture."""
    if len(content) > MAX_BYTES:
        raise RefusedPictureError(
            Unread.TOO_LARGE, f"the picture has {len(content):,} bytes, at most {MAX_BYTES:,} are read"
        )
    with warnings.catch_warnings():
        # Pillow's own bomb check only warns up to twice its limit; ours refuses by the header alone.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            return _decode(Image.open(BytesIO(content), formats=FORMATS))
        except Image.DecompressionBombError as error:
            raise RefusedPictureError(Unread.TOO_LARGE, "the picture has too many pixels") from error
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
            raise RefusedPictureError(Unread.NOT_A_PICTURE, "the file is not a picture that can be read") from error


def _decode(image: Image.Image) -> Grey:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise RefusedPictureError(
            Unread.TOO_LARGE, f"the picture has {width} x {height} pixels, at most {MAX_PIXELS:,} are read"
        )
    image.draft("L", (LONGEST_SIDE, LONGEST_SIDE))
    if image.mode in {"RGBA", "LA", "PA", "P"}:
        image = _on_white(image)
    grey = ImageOps.exif_transpose(image).convert("L")
    grey.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BILINEAR)
    return np.asarray(grey, dtype=np.uint8)


def _on_white(image: Image.Image) -> Image.Image:
    coloured = image.convert("RGBA")
    paper = Image.new("RGBA", coloured.size, "white")
    return Image.alpha_composite(paper, coloured)
