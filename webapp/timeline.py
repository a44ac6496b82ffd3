"""A sale's life in words, one step an event. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from webapp.models import Event


@dataclass(frozen=True)
class Step:
    """One thing that happened."""

    title: str
    words: str
    at: int
    block: int
    block_hash: str
    tx_hash: str
    tone: str


def _by(args: dict[str, Any], key: str, may_see: bool) -> str:
    return str(args[key]) if may_see else "a buyer"


_SAID: dict[str, tuple[str, str, Callable[[dict[str, Any], bool], str]]] = {
    "Listed": ("Listed", "start", lambda _args, _see: "The seller put it up for sale."),
    "Sold": ("Sold", "good", lambda args, see: f"Paid in full by {_by(args, 'buyer', see)}."),
    "Revoked": ("Barcode revoked", "warn", lambda _args, _see: "Every barcode made before is void."),
    "Releasing": (
        "Handed over",
        "good",
        lambda args, _see: f"Device {args['device']} accepted the barcode; it is used up.",
    ),
    "Aborted": (
        "Gate stayed closed",
        "warn",
        lambda args, _see: f"Device {args['device']} reported that it did not open.",
    ),
    "Released": ("Collected", "good", lambda args, _see: f"Device {args['device']} reported the open gate."),
    "Cancelled": ("Withdrawn", "end", lambda _args, _see: "The seller took it off the market."),
    "Refunded": ("Refunded", "end", lambda args, see: f"The money went back to {_by(args, 'buyer', see)}."),
    "Undelivered": (
        "Payment waits",
        "warn",
        lambda _args, _see: "It could not be delivered and waits to be withdrawn.",
    ),
    "Withdrawn": ("Payment withdrawn", "good", lambda _args, _see: "What waited was paid out."),
}


def steps_of(events: Iterable[Event], may_see_buyer: bool) -> list[Step]:
    """Return the steps of a sale; the buyer is named only to those who may see it."""
    steps = []
    for event in events:
        title, tone, words = _SAID[event.name]
        said = words(event.args, may_see_buyer)
        steps.append(Step(title, said, event.timestamp, event.block, event.block_hash, event.tx_hash, tone))
    return steps
