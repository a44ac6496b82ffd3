"""The auditor's table: what there is, and what must not be."""

from __future__ import annotations

from collections import Counter

from tests.e2e.auditor.books import Books, Finding
from tests.e2e.auditor.rules import ACCEPTED, openings_by_sale

ETHER = 10**18
RULES = (
    ("money in = money out + escrow", {"money"}),
    ("no gate opened twice, or for nobody", {"opened twice", "opened for nobody"}),
    ("none opened late", {"opened late"}),
    ("no order lost", {"lost"}),
    ("chain, journals and gates agree", {"chain and journal", "chain and gate"}),
    ("every refusal has a reason", {"refused without a reason"}),
    ("index = chain", {"index"}),
    ("shadows = journals and gates", {"shadow", "events"}),
)


def report(books: Books, found: list[Finding]) -> str:
    """A line for each fact and each rule, then every finding."""
    lines = [f"  {name:44} {value}" for name, value in _facts(books)]
    lines += [f"  {name:44} {_judged(found, kinds)}" for name, kinds in RULES]
    return "\n".join([*lines, *(f"FINDING {one.rule}: {one.where}: {one.words}" for one in found)])


def _judged(found: list[Finding], kinds: set[str]) -> str:
    count = sum(one.rule in kinds for one in found)
    return "holds" if not count else f"BROKEN {count} times"


def _facts(books: Books) -> list[tuple[str, object]]:
    statuses = Counter(sale.status for sale in books.sales)
    ends = Counter(release.state for release in books.releases)
    refusals = Counter(scan.outcome for scan in books.scans if scan.outcome not in ACCEPTED)
    paid = [sale for sale in books.sales if sale.count("Sold")]
    return [
        ("sales, of them paid", f"{len(books.sales)}, {len(paid)}"),
        ("of these in escrow", sum(sale.window_s > 0 for sale in paid)),
        ("on chain", _list(statuses)),
        ("releases in the journals", _list(ends)),
        ("scans, of them refused", f"{len(books.scans)}, {sum(refusals.values())}"),
        ("refusals", _list(refusals)),
        ("pulses, openings", f"{len(books.pulses)}, {len(openings_by_sale(books))}"),
        ("events told, of them not in the cloud", _events(books)),
        ("accounts whose every wei is followed", len(books.accounts)),
        ("paid in, held by sales (ETH)", f"{_sum(sale.price_wei for sale in paid)}, {_held(books)}"),
    ]


def _events(books: Books) -> str:
    lacking = sum(max(told.journalled - told.stored, 0) for told in books.told)
    return f"{sum(told.journalled for told in books.told)}, {lacking}"


def _held(books: Books) -> str:
    return _sum(sale.balance_wei for sale in books.sales)


def _sum(amounts: object) -> str:
    return f"{sum(amounts) / ETHER:.4g}"  # type: ignore[call-overload]


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
