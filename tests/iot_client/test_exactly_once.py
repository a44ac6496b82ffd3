"""Exactly once: whatever kills the Pi, no door opens twice, none opens late, and no paid order is lost."""

from dataclasses import replace

import pytest

from tests.iot_client.chaos import Tally, plan, raise_all, run
from tests.iot_client.faults import POINTS
from tests.iot_client.pickup import Order, Outcome
from tests.iot_client.weather import Weather

UNREACHED = 4
ORDER = Order(0, "before:pulse", "", "ok", comes_back=True, power=False, escrow=False)
GOOD = Outcome(ORDER, "0x", ["aborted", "completed"], intents=1, openings=1, pulses=1,
               chain=["Releasing", "Aborted", "Releasing", "Released"])  # fmt: skip


def chaos(orders: int, doors: int, seed: int, chain: str = "anvil") -> Tally:
    """Every process is killed or frozen but the chain's tests' own node."""
    with raise_all(chain, doors) as raised:
        return run(raised, list(plan(orders, seed)), Weather(raised.gusts, seed))


@pytest.mark.slow
@pytest.mark.row("B21")
def test_a_kill_at_any_act_opens_nothing_twice_and_loses_nothing() -> None:
    """Ten Pis side by side, killed at every act, while broker, service, nginx and node are killed or frozen."""
    tally = chaos(len(POINTS), doors=10, seed=1)
    assert tally.wrong == [], tally.table()
    assert sum(bool(one.deaths) for one in tally.outcomes) >= len(POINTS) - UNREACHED, tally.table()


@pytest.mark.long
def test_two_thousand_releases_by_twenty_pis() -> None:
    """The long form: every fault point many times, gates that jam, stick and answer late."""
    tally = chaos(1_450, doors=20, seed=20261129)
    assert tally.wrong == [], tally.table()
    assert tally.releases >= 2_000


@pytest.mark.long
def test_some_hundred_releases_over_geth_by_proof() -> None:
    """Three sealers and two RPC nodes, one of which is killed now and then; the Pis believe proofs alone."""
    tally = chaos(200, doors=12, seed=3, chain="geth")
    assert tally.wrong == [], tally.table()


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, ""),
        ({"openings": 2}, "opened twice"),
        ({"pulses": 2}, "opened twice"),
        ({"late": True}, "opened after openBefore"),
        ({"ends": ["aborted"]}, "neither opened nor handed to the operator"),
        ({"openings": 0}, "journal, chain and door disagree"),
        ({"chain": ["Releasing", "Released"]}, "journal, chain and door disagree"),
    ],
)
def test_the_measure_finds_what_it_must(changes: dict[str, object], wrong: str) -> None:
    """Each kind of fault, written into a good outcome, is told by its name."""
    assert replace(GOOD, **changes).wrong == wrong  # type: ignore[arg-type]
