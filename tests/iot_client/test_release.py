"""From a picture to an open gate, on a chain, a broker and a shadow service that run."""

from typing import Any

import pytest

from tests.iot_client.recording import SUCCESS, recorded
from tests.iot_client.warehouse import Door, Warehouse, wait_until

pytestmark = pytest.mark.slow


@pytest.mark.row("B13", "B18", "B19", "B20")
def test_a_picture_opens_the_gate_once(warehouse: Warehouse, door: Door) -> None:
    """Scan, verify, release on chain, desired, delta, open, report, complete; the voucher is used up."""
    world = warehouse.world
    sale = world.sold()
    openings = door.gate()["openings"]
    text = warehouse.voucher(sale)
    with recorded(SUCCESS, door.said):
        assert door.outcome(text) == "released"
        release = door.reaches(sale, "completed")
    assert door.gate()["openings"] == openings + 1
    assert sale.status().name == "RELEASED"
    states = [step["state"] for step in release["steps"]]
    assert states == ["submitted", "consumed", "intent", "actuated", "sensed", "completed"]
    door.locked()
    with recorded("collected", door.said):
        assert door.outcome(text) == "collected"
    assert door.gate()["openings"] == openings + 1
    assert "Scan to open" in door.said()


def test_the_shadow_is_cleared_and_tells(warehouse: Warehouse, door: Door) -> None:
    """After a release nothing is desired, and `lastRelease` says what came of it."""
    sale = warehouse.world.sold()
    door.outcome(warehouse.voucher(sale))
    door.reaches(sale, "completed")

    def shadow() -> dict[str, Any] | None:
        state = warehouse.shadow(door)
        last = state["reported"].get("lastRelease", {})
        return state if last.get("sale") == sale.address and "release" not in state.get("desired", {}) else None

    state = wait_until(shadow, "lastRelease in the shadow")
    assert state["reported"]["lastRelease"]["outcome"] == "opened"
    assert "release" not in state["reported"]
