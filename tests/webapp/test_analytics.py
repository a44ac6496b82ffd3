"""Figures equal a recount: made-up histories counted another way, and a real chain's logs read past the application."""

import csv
import io
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_warehouse import app, tell, told
from web3 import Web3

from contracts.abi import abi
from contracts.factory import Listing
from contracts.terms import decode_terms
from webapp.analytics import BUCKETS, LONGER, DeviceWord, SaleEvent, bucket_of, faults_of, figures_of, refusals_of
from webapp.device_log import TOOK

__all__ = ["app", "told"]
FIRST = date(2026, 1, 1)
START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
ETHER = 10**18

lives = st.lists(
    st.tuples(
        st.integers(0, 40 * 86_400),  # listed after so many seconds
        st.lists(st.integers(1, 12 * 86_400), min_size=2, max_size=2),  # then sold, then ended
        st.sampled_from(["listed", "cancelled", "sold", "released", "refunded"]),
        st.integers(1, 10**20),
        st.sampled_from([0, 7 * 86_400]),
    ),
    max_size=25,
)


def told_by(histories):
    """The events of these lives, in the order of time."""
    events = []
    for number, (begin, (wait, rest), end, price, window) in enumerate(histories):
        steps = {
            "listed": ["Listed"],
            "cancelled": ["Listed", "Cancelled"],
            "sold": ["Listed", "Sold"],
            "released": ["Listed", "Sold", "Released"],
            "refunded": ["Listed", "Sold", "Refunded"],
        }[end]
        times = [START + begin, START + begin + wait, START + begin + wait + rest]
        events += [SaleEvent(name, f"0x{number}", at, price, window) for name, at in zip(steps, times, strict=False)]
    return sorted(events, key=lambda event: event.at)


@pytest.mark.row("M6")
@settings(max_examples=150, deadline=None)
@given(lives, st.integers(0, 30), st.integers(0, 30))
def test_figures_equal_a_recount(histories, skip, length):
    """Each day's counts and income, and every time to collection, counted again life by life."""
    since, until = FIRST + timedelta(days=skip), FIRST + timedelta(days=skip + length)
    found = figures_of(told_by(histories), since, until)
    low, high = START + skip * 86_400, START + (skip + length + 1) * 86_400
    within = lambda at: low <= at < high  # noqa: E731
    listed = [START + begin for begin, *_ in histories]
    sold = [START + b + w for b, (w, _), end, *_ in histories if end in ("sold", "released", "refunded")]
    released = [(START + b + w + r, r) for b, (w, r), end, *_ in histories if end == "released"]
    income = sum(
        price
        for begin, (wait, rest), end, price, window in histories
        if (not window and end in ("sold", "released", "refunded") and within(START + begin + wait))
        or (window and end == "released" and within(START + begin + wait + rest))
    )
    assert found.totals.listed == sum(map(within, listed))
    assert found.totals.sold == sum(map(within, sold))
    assert found.totals.collected == sum(within(at) for at, _ in released)
    assert found.totals.income_wei == income
    assert found.collection_s == sorted(rest for at, rest in released if within(at))
    assert len(found.days) == length + 1
    assert sum(count for _, count in found.buckets) == len(found.collection_s)
    by_day = Counter((at - START) // 86_400 for at in sold if within(at))
    assert {(day.day - FIRST).days: day.sold for day in found.days if day.sold} == by_day


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["scan", "release", "order"]),
                          st.sampled_from(["expired", "no-code", "released", "case", "aborting", "shown-again"]),
                          st.sampled_from(["stayed_shut", "settled_shut", ""])), max_size=60))  # fmt: skip
@pytest.mark.row("M6")
def test_refusals_and_faults_equal_a_recount(said):
    """By reason, and by gate and fault; an operator's word that it stayed shut is no fault of the gate."""
    words = [DeviceWord(*one) for one in said]
    for reason, count in refusals_of(words, TOOK):
        assert count == len([1 for _, kind, outcome, _ in said if kind == "scan" and outcome == reason])
    assert sum(count for _, count in refusals_of(words, TOOK)) == len(
        [1 for _, kind, outcome, _ in said if kind == "scan" and outcome not in ("released", "shown-again")]
    )
    cases = Counter(thing for thing, kind, outcome, _ in said if (kind, outcome) == ("release", "case"))
    shut = Counter(thing for thing, *rest in said if rest == ["release", "aborting", "stayed_shut"])
    expected = {(thing, "cannot tell whether it opened", n) for thing, n in cases.items()}
    expected |= {(thing, "stayed shut", n) for thing, n in shut.items()}
    assert set(faults_of(words)) == expected


def test_every_length_of_time_has_one_bucket():
    """At each limit the next bucket begins."""
    for limit, words in BUCKETS:
        assert bucket_of(limit - 1) == words
        assert bucket_of(limit) != words
    assert bucket_of(10**9) == LONGER


def raw_recount(world):
    """Count the chain's own logs by the ABI alone: sold, refunded, income."""
    w3: Web3 = world.parts.chain.w3
    names = {
        w3.keccak(text=f"{entry['name']}({','.join(i['type'] for i in entry['inputs'])})").hex(): entry["name"]
        for entry in abi("Sale")
        if entry["type"] == "event"
    }
    factory = w3.eth.contract(address=world.deployment.factory, abi=abi("SaleFactory"))
    terms = {
        log["args"]["sale"]: decode_terms(log["args"]["terms"])
        for log in factory.events.Listed().get_logs(from_block=0)
    }
    counts: Counter[str] = Counter(listed=len(terms))
    for log in w3.eth.get_logs({"fromBlock": 0, "address": list(terms)}):
        name, about = names.get(log["topics"][0].hex()), terms[log["address"]]
        counts[str(name)] += 1
        if name == ("Released" if about.window_s else "Sold"):
            counts["income"] += about.price_wei
    return counts


@pytest.mark.row("M6")
def test_the_page_and_its_csv_equal_a_recount_of_the_chain(told, browser):
    """Listed, bought, refunded and withdrawn on a chain; the figures equal its logs, a seller sees their own alone."""
    chain, world = told.parts.chain, told
    for number, (price, days) in enumerate([(3, 0), (5, 7), (7, 7), (11, 0), (13, 0)]):
        world.call("seller", chain.factory.create_sale(
            Listing("Nimbus", "alpha", f"F{number}", 2019, price * ETHER, days * 86_400, world.site)))  # fmt: skip
    world.index()
    from webapp.catalogue import sales_of

    rows = {
        row.number: row for row in sales_of(told.parts.database, chain.chain_id, seller=world.people["seller"].address)
    }
    for number in ("F0", "F1", "F2"):
        world.call("buyer", chain.sale(rows[number].address).buy(rows[number].price_wei))
    world.call("seller", chain.sale(rows["F2"].address).refund())
    world.call("seller", chain.sale(rows["F4"].address).cancel())
    world.index()
    again = raw_recount(world)
    tell(world, event="scan", outcome="expired", says="x")
    tell(world, event="release", sale=rows["F0"].address, attempt=0, state="case", by="unsure")
    for who in ("operator", "seller"):
        page = browser(who).page("/analytics?days=7")
        days = list(csv.DictReader(io.StringIO(browser(who).page("/analytics/days.csv?days=7"))))
        total = {
            key: sum(int(row[key]) for row in days) for key in ("listed", "sold", "collected", "refunded", "withdrawn")
        }
        assert total == {
            "listed": again["listed"],
            "sold": again["Sold"],
            "collected": again["Released"],
            "refunded": again["Refunded"],
            "withdrawn": again["Cancelled"],
        }
        assert sum(int(float(row["income_eth"]) * ETHER) for row in days) == again["income"] == 3 * ETHER
        assert ("Expired receipt" in page) == (who == "operator")
    assert "expired,1" in browser("operator").page("/analytics/refusals.csv")
    assert "gate-1,cannot tell whether it opened,1" in browser("operator").page("/analytics/faults.csv")
    assert browser("buyer").client.get("/analytics").status_code == 403
    told.people["other"] and world.call("other", chain.factory.create_sale(
        Listing("Foreign", "x", "F9", 2019, ETHER, 0, world.site)))  # fmt: skip
    world.index()
    days = list(csv.DictReader(io.StringIO(browser("seller").page("/analytics/days.csv?days=7"))))
    assert sum(int(row["listed"]) for row in days) == again["listed"]
