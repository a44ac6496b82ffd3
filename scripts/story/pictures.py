"""Pictures of barcodes for the attempts that must fail."""

import io

import qrcode
from qrcode.constants import ERROR_CORRECT_M


def draw_barcode(text: str) -> bytes:
    """Draw a voucher's text as the receipt page does; return a PNG."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, box_size=10, border=4)
    code.add_data(text)
    code.make(fit=True)
    picture = io.BytesIO()
    code.make_image().save(picture)
    return picture.getvalue()
