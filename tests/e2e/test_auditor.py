"""The auditor finds a fault of each kind that is written into good books, and nothing in good ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.e2e.auditor.books import (
    Account,
    Books,
    Entry,
    Indexed,
    Opening,
    Release,
    Sale,
    Scan,
    Shadow,
    Told,
)
from tests.e2e.auditor.chain import NOBODY
from tests.e2e.auditor.report import report
from tests.e2e.auditor.rules import findings

PRICE = 10**18
T = 1_800_000_000.0


def sale(name: str, status: str, *events: str, window_s: int = 0, balance: int = 0) -> Sale:
    """A sale with these events."""
    entries = tuple(Entry(event, {}, number) for number, event in enumerate(events))
    return Sale(name, "seller", PRICE, window_s, entries, status, "buyer" if "Sold" in events else NOBODY, balance)


HANDED_OUT = sale("0xa", "Released", "Sold", "Releasing", "Released")
SECOND_TRY = sale("0xb", "Released", "Sold", "Releasing", "Aborted", "Releasing", "Released", window_s=60)
WAITING = sale("0xc", "Sold", "Sold", window_s=60, balance=PRICE)
REFUNDED = sale("0xd", "Refunded", "Sold", "Refunded", window_s=60)
CASE = sale("0xe", "Releasing", "Sold", "Releasing", window_s=60, balance=PRICE)
LISTED = sale("0xf", "Listed")

GOOD = Books(
    sales=(HANDED_OUT, SECOND_TRY, WAITING, REFUNDED, CASE, LISTED),
    accounts=(Account("seller", 2 * PRICE, 2 * PRICE),),
    releases=(
        Release("gate-1", "0xa", 0, "completed", T + 60, T + 5),
        Release("gate-1", "0xb", 0, "aborted", T + 160, T + 105),
        Release("gate-1", "0xb", 1, "completed", T + 260, T + 205),
        Release("gate-2", "0xe", 0, "case", T + 60, T + 5),
    ),
    scans=(Scan("gate-1", "0xa", "released", ""), Scan("gate-1", "0xc", "expired", "This receipt has expired.")),
    pulses=(Opening("gate-1", 1, T + 5.1), Opening("gate-1", 2, T + 105.1), Opening("gate-1", 3, T + 205.1)),
    openings=(Opening("gate-1", 1, T + 5.1), Opening("gate-1", 2, T + 205.1)),
    shadows=(Shadow("gate-1", None, "0xb", "LOCKED", "LOCKED"),),
    indexed=(
        Indexed("0xa", "Released", "buyer", 0), Indexed("0xb", "Released", "buyer", 1),
        Indexed("0xc", "Sold", "buyer", 0), Indexed("0xd", "Refunded", "buyer", 0),
        Indexed("0xe", "Releasing", "buyer", 0), Indexed("0xf", "Listed", NOBODY, 0),
    ),
    told=(Told("gate-1", 9, 9),),
)  # fmt: skip


def changed(books: Books, field: str, number: int, **values: object) -> Books:
    """The books with one entry changed."""
    entries = list(getattr(books, field))
    entries[number] = replace(entries[number], **values)
    return replace(books, **{field: tuple(entries)})


def without(books: Books, field: str, number: int) -> Books:
    """The books with one entry torn out."""
    entries = getattr(books, field)
    return replace(books, **{field: entries[:number] + entries[number + 1 :]})


def with_more(books: Books, field: str, entry: object) -> Books:
    """The books with an entry too many."""
    return replace(books, **{field: (*getattr(books, field), entry)})


def test_good_books_have_no_finding() -> None:
    """Handed out, tried twice, waiting, refunded, with the operator, never sold: all is as it must be."""
    assert findings(GOOD) == []
    assert report(GOOD, []).count("holds") == 8


FAULTS: dict[str, tuple[str, Callable[[Books], Books]]] = {
    "ether lost from an escrow": ("money", lambda books: changed(books, "sales", 2, balance_wei=PRICE - 1)),
    "a wei too many in an account": ("money", lambda books: changed(books, "accounts", 0, is_wei=2 * PRICE + 1)),
    "a gate opened twice": ("opened twice", lambda books: with_more(books, "openings", Opening("gate-1", 3, T + 6))),
    "one pulse too many": ("opened twice", lambda books: with_more(books, "pulses", Opening("gate-1", 4, T + 206))),
    "opened for nobody": ("opened for nobody", lambda books: with_more(books, "openings", Opening("gate-1", 3, T))),
    "a late pulse": ("opened late", lambda books: changed(books, "releases", 0, open_before=T + 5.05)),
    "a released order that no journal has": ("lost", lambda books: without(books, "releases", 3)),
    "a release that never ended": ("lost", lambda books: changed(books, "releases", 3, state="submitted")),
    "completed, not on chain": ("chain and journal", lambda books: changed(books, "releases", 1, state="completed")),
    "a release of nothing": (
        "chain and journal", lambda books: with_more(books, "releases", Release("gate-1", "0x9", 0, "refused", T, None))
    ),
    "completed with the door shut": ("chain and gate", lambda books: without(books, "openings", 0)),
    "refused in silence": ("refused without a reason", lambda books: changed(books, "scans", 1, says=" ")),
    "refused for no cause": ("refused without a reason", lambda books: changed(books, "scans", 1, outcome="internal")),
    "a sale that the index lacks": ("index", lambda books: without(books, "indexed", 2)),
    "a sale that only the index has": (
        "index", lambda books: with_more(books, "indexed", Indexed("0x9", "Sold", "buyer", 0))
    ),
    "an index that lags": ("index", lambda books: changed(books, "indexed", 1, attempt=0)),
    "a request left in the cloud": ("shadow", lambda books: changed(books, "shadows", 0, wanted="0xa")),
    "a last release of nothing": ("shadow", lambda books: changed(books, "shadows", 0, last_sale="0x9")),
    "a gate told wrongly": ("shadow", lambda books: changed(books, "shadows", 0, reported="OPEN")),
    "an event that no door told": ("events", lambda books: changed(books, "told", 0, stored=10)),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_each_kind_is_found(name: str) -> None:
    """One fault in the books, and a finding of its kind."""
    rule, spoil = FAULTS[name]
    found = findings(spoil(GOOD))
    assert rule in {one.rule for one in found}
    assert "BROKEN" in report(spoil(GOOD), found)
