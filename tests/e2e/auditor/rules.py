"""What must hold, rule by rule; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from tests.e2e.auditor.books import Books, Finding, Opening, Release, Sale

ACCEPTED = frozenset({"released", "shown-again"})
NO_REASON = frozenset({"", "internal", "internal-error", "error"})
PULSE_FOLLOWS_S = 30.0
Rule = Callable[[Books], Iterator[Finding]]


def money(books: Books) -> Iterator[Finding]:
    """Money in = money out + escrow: in all, in every sale, and in everybody's account to the wei."""
    paid = sum(sale.price_wei * sale.count("Sold") for sale in books.sales)
    out = sum(sale.price_wei * _payouts(sale) for sale in books.sales)
    held = sum(sale.balance_wei for sale in books.sales)
    if paid != out + held:
        yield Finding("money", "all sales", f"paid in {paid}, paid out {out}, held {held}")
    for sale in books.sales:
        should = sale.price_wei * (sale.count("Sold") - _payouts(sale))
        if sale.balance_wei != should:
            yield Finding("money", sale.address, f"holds {sale.balance_wei}, not {should}")
    for account in books.accounts:
        if account.is_wei != account.should_be_wei:
            yield Finding("money", account.address, f"has {account.is_wei}, should {account.should_be_wei}")


def _payouts(sale: Sale) -> int:
    """How often the price left the sale: at once when instant, else by its end; what was refused waits for a call."""
    if sale.window_s == 0:
        return sale.count("Sold")
    ended = sale.count("Released") + sale.count("Refunded")
    return ended - sale.count("Undelivered") + sale.count("Withdrawn")


def once(books: Books) -> Iterator[Finding]:
    """No gate opened twice for a sale, and none without a release that intended it."""
    for sale, count in Counter(sale for _, sale in openings_by_sale(books)).items():
        if count > 1:
            yield Finding("opened twice", sale, f"{count} openings")
    for opening, sale in openings_by_sale(books):
        if not sale:
            yield Finding("opened for nobody", opening.thing, f"pulse at {opening.pulsed_at:.3f} follows no intent")
    known = Counter(intent.thing for intent in _intents(books))
    for thing, count in Counter(pulse.thing for pulse in books.pulses).items():
        if count > known[thing]:
            yield Finding("opened twice", thing, f"{count} pulses for {known[thing]} intents")


def in_time(books: Books) -> Iterator[Finding]:
    """Nothing was pulsed at or after its `openBefore`."""
    for pulse in books.pulses:
        intent = _intent_of(books, pulse)
        if intent is not None and pulse.pulsed_at >= intent.open_before:
            late = pulse.pulsed_at - intent.open_before
            yield Finding("opened late", intent.sale, f"{late:.3f} s after openBefore at {pulse.thing}")


def not_lost(books: Books) -> Iterator[Finding]:
    """Every paid order waits for its buyer, was handed out, was refunded, or is a case that the operator knows of."""
    cases = {release.sale for release in books.releases if release.state == "case"}
    for sale in books.sales:
        if sale.status == "Releasing" and sale.address not in cases:
            yield Finding("lost", sale.address, "released on chain, and no journal has a case of it")
    unfinished = [one for one in books.releases if one.state not in {"completed", "aborted", "refused", "case"}]
    for release in unfinished:
        yield Finding("lost", release.sale, f"still {release.state} at {release.thing}")


def agree(books: Books) -> Iterator[Finding]:
    """Chain, journals and gates tell one story of every sale."""
    opened = Counter(sale for _, sale in openings_by_sale(books))
    ends = Counter((release.sale, release.state) for release in books.releases)
    for sale in books.sales:
        chain = {"completed": sale.count("Released"), "aborted": sale.count("Aborted")}
        for state, count in chain.items():
            if ends[sale.address, state] != count:
                words = f"{state} {count} times on chain, {ends[sale.address, state]} times in the journals"
                yield Finding("chain and journal", sale.address, words)
        if sale.status != "Releasing" and opened[sale.address] != chain["completed"]:
            words = f"opened {opened[sale.address]} times, released {chain['completed']} times"
            yield Finding("chain and gate", sale.address, words)
    known = {sale.address for sale in books.sales}
    for release in books.releases:
        if release.sale not in known:
            yield Finding("chain and journal", release.sale, f"{release.thing} released what the chain does not know")


def reasoned(books: Books) -> Iterator[Finding]:
    """Whoever was refused was told why."""
    for scan in books.scans:
        if scan.outcome not in ACCEPTED and (scan.outcome in NO_REASON or not scan.says.strip()):
            yield Finding("refused without a reason", scan.sale or scan.thing, f"{scan.outcome!r} at {scan.thing}")


def indexed(books: Books) -> Iterator[Finding]:
    """The web application's index is what the chain says."""
    index = {row.address: row for row in books.indexed}
    for sale in books.sales:
        row = index.pop(sale.address, None)
        attempt = sale.count("Aborted") + sale.count("Revoked")
        told = None if row is None else (row.status, row.buyer, row.attempt)
        if told != (sale.status, sale.buyer, attempt):
            yield Finding("index", sale.address, f"{told}, on chain {(sale.status, sale.buyer, attempt)}")
    for address in index:
        yield Finding("index", address, "not on chain")


def shadowed(books: Books) -> Iterator[Finding]:
    """The cloud wants nothing any more, knows each door's last release and gate, and no event that no door told.

    An event that it lacks is a fact and no finding: a broker that is killed takes along what it had acknowledged.
    """
    opened = {release.sale for release in books.releases}
    for shadow in books.shadows:
        if shadow.wanted is not None:
            yield Finding("shadow", shadow.thing, f"still wants {shadow.wanted} open")
        if shadow.last_sale is not None and shadow.last_sale not in opened:
            yield Finding("shadow", shadow.thing, f"tells of {shadow.last_sale}, which no journal has")
        if shadow.reported != shadow.gate:
            yield Finding("shadow", shadow.thing, f"says {shadow.reported}, the gate is {shadow.gate}")
    for told in books.told:
        if told.stored > told.journalled:
            yield Finding("events", told.thing, f"{told.journalled} in the journal, {told.stored} in the cloud")


RULES: tuple[Rule, ...] = (money, once, in_time, not_lost, agree, reasoned, indexed, shadowed)


def findings(books: Books) -> list[Finding]:
    """Everything that must not be, by every rule."""
    return [finding for rule in RULES for finding in rule(books)]


def openings_by_sale(books: Books) -> list[tuple[Opening, str]]:
    """Each opening with the sale whose intent the pulse followed; empty if there is none."""
    found = [(opening, _intent_of(books, opening)) for opening in books.openings]
    return [(opening, intent.sale if intent else "") for opening, intent in found]


def _intents(books: Books) -> list[Release]:
    return [release for release in books.releases if release.intent_at is not None]


def _intent_of(books: Books, pulse: Opening) -> Release | None:
    """The newest intent of this door before the pulse, which follows at once."""
    before = [
        release for release in _intents(books)
        if release.thing == pulse.thing and 0 <= pulse.pulsed_at - (release.intent_at or 0) < PULSE_FOLLOWS_S
    ]  # fmt: skip
    return max(before, key=lambda release: release.intent_at or 0, default=None)
