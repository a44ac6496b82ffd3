"""Many listings from one CSV file: every line judged, each complaint beside its line. Pure."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from contracts.errors import ListingError
from contracts.factory import Listing
from webapp.errors import InvalidInput
from webapp.forms.listing import DAY_S, clean, complaint
from webapp.money import parse_eth

MAX_BYTES = 2**20
MAX_LINES = 1_000
PER_TRANSACTION = 50
COLUMNS = ("make", "model", "number", "year", "price", "site", "refund_days")
NEEDED = ("make", "model", "year", "price", "site")


@dataclass(frozen=True)
class Line:
    """One line of the file: its listing, or what is wrong with it."""

    number: int
    cells: dict[str, str]
    listing: Listing | None = None
    problem: str = ""


@dataclass(frozen=True)
class Batch:
    """A whole file."""

    lines: list[Line] = field(default_factory=list)

    @property
    def good(self) -> list[Listing]:
        """The listings of the lines that can stand."""
        return [line.listing for line in self.lines if line.listing is not None]

    @property
    def bad(self) -> int:
        """How many cannot."""
        return sum(line.listing is None for line in self.lines)


def read_csv(content: bytes, sites: set[int]) -> Batch:
    """Read a file; a line that cannot stand says why and harms no other.

    Raises:
        InvalidInput: it is no CSV file with our columns, or it is too large.
    """
    rows = _rows(_text(content))
    names = _names(next(rows, []))
    lines: list[Line] = []
    seen = Counter[Listing]()
    for number, row in enumerate(rows, start=2):
        if any(clean(cell) for cell in row):
            lines.append(_line(number, names, row, sites, seen))
        if len(lines) > MAX_LINES:
            raise InvalidInput("file", f"A file may hold {MAX_LINES} lines at most; split it. Nothing was listed.")
    if not lines:
        raise InvalidInput("file", "The file holds no goods.")
    return Batch(lines)


def _names(header: list[str]) -> list[str]:
    names = [clean(cell).lower().replace(" ", "_") for cell in header]
    wrong = {
        "missing": [name for name in NEEDED if name not in names],
        "unknown": [name[:40] for name in names if name and name not in COLUMNS],
        "twice": [name for name in COLUMNS if names.count(name) > 1],
    }
    found = next((f"{what}: {', '.join(these[:5])}" for what, these in wrong.items() if these), "")
    if found:
        raise InvalidInput("file", f"The first line must name the columns {', '.join(COLUMNS)}; {found}.")
    return names


def _text(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise InvalidInput("file", "The file is larger than 1 MB. Nothing was listed.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput("file", "The file is not UTF-8 text: export it as CSV (UTF-8).") from error
    if "\0" in text:
        raise InvalidInput("file", "The file is not text: export it as CSV (UTF-8).")
    return text


def _rows(text: str) -> Iterator[list[str]]:
    first = text[:1000].splitlines()[:1]
    delimiter = max(",;\t", key=first[0].count) if first else ","
    try:
        # Line ends of every system are the reader's business, also inside quotes.
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    except csv.Error as error:
        raise InvalidInput("file", "A cell of this file never ends: look for a quotation mark too many.") from error


def _line(number: int, names: list[str], row: list[str], sites: set[int], seen: Counter[Listing]) -> Line:
    cells = {name: clean(cell) for name, cell in zip(names, row, strict=False) if name}
    try:
        if len(row) > len(names):
            raise InvalidInput("line", "This line has more cells than the first one has names.")
        listing = _listing(cells, sites)
    except ListingError as error:
        return Line(number, cells, problem=f"{error.field.removesuffix('_wei')}: {complaint(error)}")
    except InvalidInput as error:
        return Line(number, cells, problem=str(error))
    seen[listing] += 1  # the same goods again are another edition
    return Line(number, cells, listing=replace(listing, edition=seen[listing] - 1))


def _listing(cells: dict[str, str], sites: set[int]) -> Listing:
    site = _whole(cells.get("site", ""), "site")
    if site not in sites:
        raise InvalidInput("site", f"site: {site} takes no goods.")
    year = _whole(cells.get("year", ""), "year")
    if not 1000 <= year <= 9999:
        raise InvalidInput("year", "year: write four digits, such as 2019.")
    days = _whole(cells.get("refund_days") or "0", "refund_days")
    return Listing(
        make=cells.get("make", ""),
        model=cells.get("model", ""),
        number=cells.get("number", ""),
        year=year,
        price_wei=parse_eth(cells.get("price", "")),
        window_s=days * DAY_S,
        site=site,
    )


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(name, f"{name}: write a whole number.")
    return int(text)
