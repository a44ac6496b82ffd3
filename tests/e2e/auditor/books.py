"""What the auditor has read: plain facts, each with where it was told."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """One event of a sale on the chain."""

    name: str
    args: dict[str, object]
    block: int


@dataclass(frozen=True)
class Sale:
    """One sale as the chain tells it: its terms, its events in order, what it is now and holds."""

    address: str
    seller: str
    price_wei: int
    window_s: int
    events: tuple[Entry, ...]
    status: str
    buyer: str
    balance_wei: int

    def count(self, name: str) -> int:
        """How many events of this name."""
        return sum(event.name == name for event in self.events)


@dataclass(frozen=True)
class Account:
    """Who is neither treasury, sealer nor contract: what moved by the chain's own record, and what is there now."""

    address: str
    should_be_wei: int
    is_wei: int


@dataclass(frozen=True)
class Release:
    """One attempt to hand goods out, by a door's journal."""

    thing: str
    sale: str
    attempt: int
    state: str
    open_before: float
    intent_at: float | None


@dataclass(frozen=True)
class Scan:
    """One barcode shown at a door, and what the door said."""

    thing: str
    sale: str
    outcome: str
    says: str


@dataclass(frozen=True)
class Opening:
    """A line of a gate's log: when the pulse was that opened it."""

    thing: str
    number: int
    pulsed_at: float


@dataclass(frozen=True)
class Shadow:
    """A thing's classic shadow in the cloud's store, and what its own folder says."""

    thing: str
    wanted: str | None
    last_sale: str | None
    reported: str | None
    gate: str | None


@dataclass(frozen=True)
class Indexed:
    """One sale as the web application's index has it."""

    address: str
    status: str
    buyer: str
    attempt: int


@dataclass(frozen=True)
class Told:
    """How many events a door has told of, and how many the cloud's store has of it."""

    thing: str
    journalled: int
    stored: int


@dataclass(frozen=True)
class Books:
    """Everything."""

    sales: tuple[Sale, ...] = ()
    accounts: tuple[Account, ...] = ()
    releases: tuple[Release, ...] = ()
    scans: tuple[Scan, ...] = ()
    pulses: tuple[Opening, ...] = ()
    openings: tuple[Opening, ...] = ()
    shadows: tuple[Shadow, ...] = ()
    indexed: tuple[Indexed, ...] = ()
    told: tuple[Told, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What must not be."""

    rule: str
    where: str
    words: str = field(compare=False)
