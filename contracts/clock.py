"""Whether a proven head fits the device's clock and what the device has seen before. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.epochs import Checkpoint
from contracts.headers import Header
from contracts.proof_errors import ClockError, Flaw


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far the head may be from the device's clock, seconds."""

    max_head_age_s: int = 30
    max_head_lead_s: int = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """The highest head that was verified before."""

    number: int
    timestamp: int

    @classmethod
    def of(cls, header: Header) -> Seen:
        """This header as a head."""
        return cls(header.number, header.timestamp)


def check_clock(head: Header, vouched: int, now: int, limits: Freshness) -> None:
    """The head is not newer, and enough sealers' word for it (since `vouched`) not older than the limits allow.

    Raises:
        ClockError: it is.
    """
    age = now - vouched
    if age > limits.max_head_age_s:
        raise ClockError(
            Flaw.HEAD_STALE,
            f"enough sealers sealed {_span(age)} before this clock's time, at block {head.number}: the chain stands"
            " still, the node hangs back, or this clock is fast",
        )
    lead = head.timestamp - now
    if lead > limits.max_head_lead_s:
        raise ClockError(
            Flaw.HEAD_IN_FUTURE,
            f"block {head.number} is {_span(lead)} ahead of this clock: set the clock, or see to the sealers'",
        )


def check_progress(head: Header, checkpoint: Checkpoint, seen: Seen | None, now: int, limits: Freshness) -> None:
    """Neither the chain nor the clock has gone back.

    Raises:
        ClockError: one has.
    """
    known = max(checkpoint.timestamp, seen.timestamp if seen else 0)
    if now + limits.max_head_lead_s < known:
        raise ClockError(
            Flaw.CLOCK_BEHIND,
            f"this clock is {_span(known - now)} behind what this device has verified before: set it",
        )
    lowest = max(checkpoint.number, seen.number if seen else 0)
    if head.number < lowest or (seen and head.timestamp < seen.timestamp):
        raise ClockError(
            Flaw.HEAD_WENT_BACK,
            f"the node's head {head.number} is behind block {lowest}, which this device has verified before",
        )


def _span(seconds: int) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
