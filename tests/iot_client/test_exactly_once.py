"""Exactly once: whatever kills the Pi, no door opens twice, none opens late, and no paid order is lost."""

import pytest

from tests.iot_client.chaos import plan, run, table
from tests.iot_client.faults import POINTS
from tests.iot_client.warehouse import Warehouse

pytestmark = pytest.mark.slow


@pytest.mark.row("B21")
def test_a_kill_at_any_act_opens_nothing_twice_and_loses_nothing(warehouse: Warehouse) -> None:
    """Two Pis side by side, killed once before and once after every act, then restarted."""
    outcomes = run(warehouse, plan(warehouse, len(POINTS), seed=1), doors=2)
    assert [one for one in outcomes if one.wrong] == [], table(outcomes)
    assert sum(one.died for one in outcomes) >= len(POINTS) - 4, table(outcomes)


@pytest.mark.long
def test_two_thousand_releases_by_twenty_pis(warehouse: Warehouse) -> None:
    """The long form: every fault point many times, gates that jam, stick and answer late."""
    outcomes = run(warehouse, plan(warehouse, 2_000, seed=2), doors=20)
    assert [one for one in outcomes if one.wrong] == [], table(outcomes)
