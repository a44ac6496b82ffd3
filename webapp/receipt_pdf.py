"""The receipt on one A4 page."""

import io
from datetime import UTC, datetime

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from webapp.barcode import QUIET, modules_of
from webapp.models import SaleRow
from webapp.money import format_eth

CODE_MM = 95
_FACES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")


def receipt_pdf(text: str, sale: SaleRow, site: str, operator: str, expires_at: int) -> bytes:
    """Return the page: the barcode, large; what, where, until when."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.setTitle(f"Receipt: {sale.make} {sale.model}")
    plain, bold = _fonts()
    top = A4[1] - 25 * mm
    _line(canvas, bold, 22, top, f"{sale.make} {sale.model}")
    _line(canvas, plain, 12, top - 9 * mm, sale.particulars)
    _draw_code(canvas, modules_of(text), (A4[0] - CODE_MM * mm) / 2, top - 20 * mm - CODE_MM * mm, CODE_MM * mm)
    until = datetime.fromtimestamp(expires_at, UTC).strftime("%-d %B %Y, %H:%M UTC")
    facts = (
        ("Collect at", f"{site}" + (f", run by {operator}" if operator else "")),
        ("Valid until", until),
        ("Paid", f"{format_eth(sale.price_wei)} ETH"),
        ("Sale", sale.address),
    )
    y = top - CODE_MM * mm - 38 * mm
    for label, value in facts:
        canvas.setFont(bold, 10)
        canvas.drawString(25 * mm, y, label)
        canvas.setFont(plain, 10)
        canvas.drawString(55 * mm, y, value[:90])
        y -= 7 * mm
    _line(canvas, plain, 9, y - 6 * mm, "Whoever shows this barcode collects the goods, once. Lost or photographed?")
    _line(canvas, plain, 9, y - 11 * mm, "Revoke it on the receipt's page; this print is void at once.")
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _fonts() -> tuple[str, str]:
    """Return fonts that can write more than Latin letters, where Debian's are installed."""
    try:
        for face in _FACES:
            if face not in pdfmetrics.getRegisteredFontNames():
                pdfmetrics.registerFont(TTFont(face, f"/usr/share/fonts/truetype/dejavu/{face}"))
    except (TTFError, OSError):
        return "Helvetica", "Helvetica-Bold"
    return _FACES


def _line(canvas: Canvas, font: str, size: float, y: float, text: str) -> None:
    canvas.setFont(font, size)
    canvas.drawString(25 * mm, y, text[:80])


def _draw_code(canvas: Canvas, modules: list[list[bool]], x: float, y: float, side: float) -> None:
    step = side / (len(modules) + 2 * QUIET)
    path = canvas.beginPath()
    for row, line in enumerate(modules):
        for column, dark in enumerate(line):
            if dark:
                left, top = x + (column + QUIET) * step, y + side - (row + QUIET + 1) * step
                # A hair wider than a module, so that no printer leaves white lines between them.
                path.rect(left, top, step * 1.01, step * 1.01)
    canvas.drawPath(path, stroke=0, fill=1)
