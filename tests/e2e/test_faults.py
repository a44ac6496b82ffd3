"""A part dies in the middle: an answer in words, nothing lost, and the order is collected afterwards."""

from itertools import count

import pytest

from contracts.sale import Status
from iot_client.reasons import Refusal
from scripts.story.people import Story
from scripts.story.processes import await_condition

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

numbers = count(1)


def paid_order(story: Story) -> str:
    """Sell and buy one more item for the story's door; return the sale's address."""
    address = story.sell(story.sites[0], number=f"F{next(numbers)}", price="0.5")["contract"]
    story.buy(address)
    return address


def collect(story: Story, picture: bytes, address: str) -> None:
    """Show the receipt until the door takes it; the order is collected by exactly one opening."""
    opened = story.openings()

    def taken() -> bool:
        story.show(picture, f"again-{next(numbers)}.png")
        return story.sale(address).status() is not Status.SOLD

    await_condition(taken, "the door taking the receipt", 120)
    story.release(address)
    assert story.sale(address).status() is Status.RELEASED
    assert story.openings() == opened + 1


@pytest.mark.parametrize(
    ("part", "reason"),
    [("cloud", Refusal.CLOUD_UNREACHABLE), ("gateway", Refusal.CHAIN_UNREACHABLE)],
)
def test_a_dead_part_is_named_and_the_receipt_stays_good(story: Story, part: str, reason: Refusal) -> None:
    """With the cloud or the gateway killed the door says so; once it is back the same receipt opens it."""
    address = paid_order(story)
    picture = story.barcode(address)
    opened = story.openings()
    story.stage.kill(part)
    outcomes = {story.show(picture, f"dead-{part}-{n}.png")[0] for n in range(2)}
    assert outcomes == {reason}
    assert story.openings() == opened
    assert story.sale(address).status() is Status.SOLD
    story.stage.restart(part)
    collect(story, picture, address)


@pytest.mark.row("N3")
def test_a_dead_rpc_node_is_not_noticed(story: Story) -> None:
    """With one of the two RPC nodes killed, selling, buying and collecting go on."""
    story.stage.kill_node(story.stage.rpc[0])
    address = paid_order(story)
    collect(story, story.barcode(address), address)


@pytest.mark.row("B21")
def test_a_killed_pi_goes_on_where_it_was(story: Story) -> None:
    """The Pi is killed and started again between purchase and pickup."""
    address = paid_order(story)
    picture = story.barcode(address)
    story.stage.kill("pi")
    story.stage.restart("pi")
    collect(story, picture, address)


@pytest.mark.row("B23")
def test_sales_go_on_while_the_cloud_is_down(story: Story) -> None:
    """Selling and buying need no cloud."""
    story.stage.kill("cloud")
    try:
        address = paid_order(story)
        assert story.sale(address).status() is Status.SOLD
    finally:
        story.stage.restart("cloud")
