"""Pictures of barcodes from a person's browser into the inbox folder of a Pi on this machine."""

import io
import os
import secrets
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from webapp.errors import InvalidInput, WebError

MAX_BYTES = 5 * 2**20
MAX_PIXELS = 40_000_000
FORMATS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}


def drop(picture: bytes, folder: Path) -> Path:
    """Put a picture into the inbox under a name of our own; the Pi sees it whole or not at all.

    Raises:
        InvalidInput: no picture that a scanner could read.
        WebError: the folder is not there.
    """
    ending = check(picture)
    if not folder.is_dir():
        raise WebError("The Pi's inbox is not there: is lading-pi running on this machine?")
    name = f"remote-{secrets.token_hex(8)}.{ending}"
    hidden = folder / f".{name}"
    descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(picture)
    return hidden.rename(folder / name)


def check(picture: bytes) -> str:
    """Return the file ending of a picture.

    Raises:
        InvalidInput: empty, too large, of another kind, or not readable.
    """
    if not picture:
        raise InvalidInput("picture", "Choose a picture first.")
    if len(picture) > MAX_BYTES:
        raise InvalidInput("picture", "That picture is larger than 5 MB. Nothing was taken in.")
    try:
        with Image.open(io.BytesIO(picture), formats=list(FORMATS)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InvalidInput("picture", "That picture has more than 40 million pixels. Nothing was taken in.")
            image.verify()
            return FORMATS[str(image.format)]
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput("picture", "That is no PNG, JPEG or WebP picture. Nothing was taken in.") from error
