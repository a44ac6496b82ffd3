"""Cursors: where a page of a list begins, as numbers in the list's order. Pure."""

from dataclasses import dataclass

from webapp.errors import InvalidInput

Cursor = tuple[int, ...]


@dataclass(frozen=True)
class Slice:
    """Which page: what comes after the cursor, at most so many."""

    cursor: Cursor | None
    limit: int


def read_cursor(text: str, numbers: int) -> Cursor | None:
    """Return the numbers of a cursor; `None` for the first page.

    Raises:
        InvalidInput: it is none that a page gave.
    """
    if not text:
        return None
    parts = text.split("-")
    if len(parts) != numbers or not all(part.isascii() and part.isdigit() and len(part) < 16 for part in parts):
        raise InvalidInput("cursor", "That is no cursor: take the one that the page before gave, as it is.")
    return tuple(int(part) for part in parts)


def write_cursor(*numbers: int) -> str:
    """Return the text of a cursor."""
    return "-".join(str(number) for number in numbers)
