"""Everything that turns what a person holds up into text, behind one interface."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Unread(StrEnum):
    """Why a picture yielded no single text."""

    NO_CODE = "no-code"
    TWO_CODES = "two-codes"
    NOT_A_PICTURE = "not-a-picture"
    TOO_LARGE = "too-large"


@dataclass(frozen=True)
class Reading:
    """What one picture says: its one text, or why there is none."""

    text: str | None
    unread: Unread | None = None
    step: str = "zbar"


@dataclass(frozen=True)
class Scan:
    """One reading by one scanner.

    Attributes:
        reading: the text, or why there is none.
        scanner: which scanner saw it.
        name: the picture's file name, so that who uploaded it finds its outcome.
        remote: whether it came over a network instead of from the door.
        started_ns: the monotonic clock when the picture was taken up.
        read_ms: how long reading took.
    """

    reading: Reading
    scanner: str
    name: str = ""
    remote: bool = False
    started_ns: int = 0
    read_ms: float = 0.0


Sink = Callable[[Scan], None]


class Scanner(Protocol):
    """A source of scans; it calls its sink on a thread of its own."""

    def start(self, sink: Sink) -> None:
        """Begin to deliver scans."""

    def stop(self) -> None:
        """End; no scan is delivered afterwards."""
