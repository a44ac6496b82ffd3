"""Figures over the chain's events and the devices' logs. Pure: whoever counts the same facts again gets the same."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

BUCKETS = (
    (3_600, "under an hour"),
    (6 * 3_600, "under 6 hours"),
    (86_400, "under a day"),
    (3 * 86_400, "under 3 days"),
    (7 * 86_400, "under a week"),
    (30 * 86_400, "under a month"),
)
LONGER = "longer"
NAMES = ("Listed", "Sold", "Released", "Refunded", "Cancelled")
STAYED_SHUT = "stayed_shut"


@dataclass(frozen=True)
class SaleEvent:
    """One event of a sale and the terms of that sale."""

    name: str
    sale: str
    at: int
    price_wei: int
    window_s: int


@dataclass(frozen=True)
class DeviceWord:
    """What a device told, as far as it is counted."""

    thing: str
    kind: str
    outcome: str
    by: str = ""


@dataclass
class Day:
    """What happened on one day, UTC."""

    day: date
    listed: int = 0
    sold: int = 0
    collected: int = 0
    refunded: int = 0
    withdrawn: int = 0
    income_wei: int = 0


@dataclass(frozen=True)
class Figures:
    """Everything that the page shows of the chain."""

    days: list[Day]
    collection_s: list[int] = field(default_factory=list)
    """Seconds from payment to collection, of what was collected in these days, in order."""

    @property
    def totals(self) -> Day:
        """All days together."""
        total = Day(self.days[-1].day if self.days else date(1970, 1, 1))
        for day in self.days:
            for name in ("listed", "sold", "collected", "refunded", "withdrawn", "income_wei"):
                setattr(total, name, getattr(total, name) + getattr(day, name))
        return total

    def quantile(self, share: float) -> int | None:
        """Return the time within which this share of the goods was collected."""
        times = self.collection_s
        return times[min(len(times) - 1, int(share * len(times)))] if times else None

    @property
    def buckets(self) -> list[tuple[str, int]]:
        """How many were collected within an hour, within a day and so on."""
        counts = Counter(bucket_of(seconds) for seconds in self.collection_s)
        return [(words, counts[words]) for words in (*(words for _, words in BUCKETS), LONGER)]


def day_of(at: float) -> date:
    """Return the day of a moment, UTC."""
    return datetime.fromtimestamp(at, UTC).date()


def bucket_of(seconds: int) -> str:
    """Return the words for a length of time."""
    return next((words for limit, words in BUCKETS if seconds < limit), LONGER)


def figures_of(events: Iterable[SaleEvent], since: date, until: date) -> Figures:
    """Count the events of these days; the events must come in the chain's order, and whole for each sale.

    A sale without a window pays its seller at once, any other one when the goods are collected.
    """
    days = {day: Day(day) for day in _days(since, until)}
    paid_at: dict[str, int] = {}
    times = []
    for event in events:
        if event.name == "Sold":
            paid_at[event.sale] = event.at
        day = days.get(day_of(event.at))
        if day is None:
            continue
        _count(day, event)
        if event.name == "Released" and event.sale in paid_at:
            times.append(event.at - paid_at[event.sale])
    return Figures(list(days.values()), sorted(times))


def _count(day: Day, event: SaleEvent) -> None:
    field_of = {
        "Listed": "listed",
        "Sold": "sold",
        "Released": "collected",
        "Refunded": "refunded",
        "Cancelled": "withdrawn",
    }
    name = field_of.get(event.name)
    if name is not None:
        setattr(day, name, getattr(day, name) + 1)
    if event.name == ("Released" if event.window_s else "Sold"):
        day.income_wei += event.price_wei


def _days(since: date, until: date) -> Iterable[date]:
    return (since + timedelta(days=number) for number in range((until - since).days + 1))


def refusals_of(words: Iterable[DeviceWord], took: tuple[str, ...]) -> list[tuple[str, int]]:
    """Return how often each reason kept a door shut, most frequent first."""
    counts = Counter(word.outcome for word in words if word.kind == "scan" and word.outcome not in took)
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def faults_of(words: Iterable[DeviceWord]) -> list[tuple[str, str, int]]:
    """Return how often each gate did not do what it was told: it stayed shut, or nobody can tell."""
    counts: Counter[tuple[str, str]] = Counter()
    for word in words:
        if word.kind == "release" and word.outcome == "case":
            counts[word.thing, "cannot tell whether it opened"] += 1
        elif word.kind == "release" and word.outcome == "aborting" and word.by == STAYED_SHUT:
            counts[word.thing, "stayed shut"] += 1
    return [(thing, fault, count) for (thing, fault), count in sorted(counts.items())]
