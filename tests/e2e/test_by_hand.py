"""What a person does by hand after the story: the warehouse page hands a picture to the door and shows the gate."""

import pytest

from contracts.sale import Status
from scripts.story.cast import THING
from scripts.story.people import Story
from scripts.story.processes import await_condition

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
GATE = f"/warehouse/{THING}"


@pytest.mark.row("B3", "B19")
def test_a_picture_dropped_on_the_warehouse_page_opens_the_gate(story: Story, paid_order: str) -> None:
    """The operator's upload reaches the Pi's inbox, the order is collected once, the page tells the gate's state."""
    opened = story.openings()
    operator = story.visitor(story.operator)

    def taken() -> bool:
        before = len(story.scans(paid_order))
        assert "with the scanner" in operator.send_file(GATE, "/inbox", "receipt.png", story.barcode(paid_order))
        await_condition(lambda: len(story.scans(paid_order)) > before, "the door reading the picture", 60)
        return "released" in story.scans(paid_order)

    await_condition(taken, "the door taking the receipt", 120)
    story.release(paid_order)
    assert story.sale(paid_order).status() is Status.RELEASED
    assert story.openings() == opened + 1
    page = operator.http.get(GATE).text
    assert 'data-gate="LOCKED"' in page
    assert "Last release: <strong>opened</strong>" in page


def test_only_an_operator_may_hand_pictures_to_the_door(story: Story) -> None:
    """To the buyer the warehouse does not exist."""
    assert story.visitor(story.buyer).http.get(GATE).status_code in (403, 404)
