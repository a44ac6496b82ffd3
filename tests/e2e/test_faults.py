"""A part dies in the middle: an answer in words, nothing lost, and the order is collected afterwards."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest

from contracts.sale import Status
from geth_network.folder import Folder
from geth_network.network import load_network
from geth_network.rpc import IpcNode
from iot_client.reasons import Refusal
from scripts.story.people import Story
from scripts.story.processes import await_condition
from tests.e2e.conftest import paid_orders

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

numbers = count(1)


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
def test_a_dead_part_is_named_and_the_receipt_stays_good(
    story: Story, paid_order: str, part: str, reason: Refusal
) -> None:
    """With the cloud or the gateway killed the door says so; once it is back the same receipt opens it."""
    picture = story.barcode(paid_order)
    opened = story.openings()
    story.stage.kill(part)
    outcomes = {story.show(picture, f"dead-{part}-{n}.png")[0] for n in range(2)}
    assert outcomes == {reason}
    assert story.openings() == opened
    assert story.sale(paid_order).status() is Status.SOLD
    story.stage.restart(part)
    collect(story, picture, paid_order)


@pytest.mark.row("N3")
def test_a_dead_rpc_node_is_not_noticed(story: Story) -> None:
    """With one of the two RPC nodes killed, selling, buying and collecting go on."""
    story.stage.kill_node(story.stage.rpc[0])
    (address,) = paid_orders(story, 1)
    collect(story, story.barcode(address), address)


@pytest.mark.row("B21")
def test_a_killed_pi_goes_on_where_it_was(story: Story, paid_order: str) -> None:
    """The Pi is killed and started again between purchase and pickup."""
    picture = story.barcode(paid_order)
    story.stage.kill("pi")
    story.stage.restart("pi")
    collect(story, picture, paid_order)


@pytest.mark.row("B23")
def test_sales_go_on_while_the_cloud_is_down(story: Story) -> None:
    """Selling and buying need no cloud."""
    story.stage.kill("cloud")
    try:
        (address,) = paid_orders(story, 1)
        assert story.sale(address).status() is Status.SOLD
    finally:
        story.stage.restart("cloud")


@pytest.mark.row("M16", "M19")
def test_an_order_is_collected_while_a_sealer_is_down(story: Story, paid_order: str) -> None:
    """Bought with three sealers, released and completed by two; the third then starts again and seals."""
    picture = story.barcode(paid_order)
    with sealer_down(story, "operator") as before:
        collect(story, picture, paid_order)
        ask = IpcNode(Folder(story.stage.path / "chain").ipc("rpc-1"))
        blocks = range(before + 1, story.stage.node().eth.block_number + 1)
        assert len(blocks) >= 2
        assert sealer("operator", story) not in {sealer_of(ask, number) for number in blocks}
    await_condition(
        lambda: sealer_of(ask, story.stage.node().eth.block_number) == sealer("operator", story),
        "the sealer sealing again", 90,
    )  # fmt: skip


@contextmanager
def sealer_down(story: Story, name: str) -> Iterator[int]:
    """Keep a sealer from doing anything, then kill it, so that the watchdog starts it; yield the last block with it.

    Dead alone it would be back within seconds: the watchdog cannot bring back one that stands still.
    """
    pid = json.loads(Folder(story.stage.path / "chain").state.read_text())[name]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield story.stage.node().eth.block_number + 1  # one of its own may be on the way
    finally:
        os.kill(pid, signal.SIGKILL)


def sealer(name: str, story: Story) -> str:
    """Return the address with which a member's node seals."""
    return str(load_network(Folder(story.stage.path / "chain").network).node(name).address).lower()


def sealer_of(ask: IpcNode, number: int) -> str:
    """Return who sealed a block."""
    return str(ask("clique_getSigner", hex(number))).lower()
