"""Whatever order AWS chooses, and however often it sends: a device that follows the rules ends right."""

import pytest

from iot_cloud.delivery import Delivery
from iot_cloud.shadow.service import Message

MESSAGES = [Message(f"t/update/{kind}", {}) for kind in ("delta", "accepted", "documents")]


def kinds(delivery: Delivery) -> list[str]:
    """What leaves, in order."""
    return [message.topic.rpartition("/")[2] for message in delivery.arrange(MESSAGES)]


@pytest.fixture
def arranged() -> set[tuple[str, ...]]:
    """Every arrangement that `random` came to in many draws."""
    return {tuple(kinds(Delivery("random"))) for _ in range(300)}


def test_orders(arranged: set[tuple[str, ...]]) -> None:
    """Delta first, accepted first, or any of the six orders."""
    assert kinds(Delivery("delta-first")) == ["delta", "accepted", "documents"]
    assert kinds(Delivery("accepted-first")) == ["accepted", "delta", "documents"]
    assert len(arranged) == 6


def test_duplicates() -> None:
    """A share of 1 sends everything twice, a share of 0 nothing."""
    assert kinds(Delivery(duplicates=1.0)) == [kind for kind in kinds(Delivery()) for _ in range(2)]
