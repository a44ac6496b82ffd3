"""The voucher's barcode: QR, alphanumeric, level M; as PNG and SVG. Pure."""

import io
from typing import Any

import qrcode
from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.pil import PilImage
from qrcode.image.svg import SvgPathFillImage
from qrcode.util import QRData

QUIET = 4
"""Modules of white around the code, as the standard asks."""


def code_of(text: str, module_px: int = 10) -> "qrcode.QRCode[Any]":
    """Return the QR code of a voucher's text."""
    code: qrcode.QRCode[Any] = qrcode.QRCode(error_correction=ERROR_CORRECT_M, box_size=module_px, border=QUIET)
    # Mode 2 is the alphanumeric one.
    code.add_data(QRData(text, mode=2), optimize=0)
    code.make(fit=True)
    return code


def picture_png(text: str, module_px: int = 10) -> bytes:
    """Return a PNG, one bit a pixel."""
    out = io.BytesIO()
    code_of(text, module_px).make_image(image_factory=PilImage).save(out, "PNG")
    return out.getvalue()


def picture_svg(text: str) -> bytes:
    """Return an SVG that prints sharp at any size, on white even in a dark page."""
    return bytes(code_of(text).make_image(image_factory=SvgPathFillImage).to_string())


def modules_of(text: str) -> list[list[bool]]:
    """Return the code's modules without a border."""
    code = code_of(text)
    return [[bool(module) for module in row] for row in code.modules]
