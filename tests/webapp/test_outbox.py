"""What was signed is kept, sent once, and settled whatever the nodes do."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from worlds import wait_for

from contracts.calls import Call
from webapp.chain import Chain
from webapp.models import Transaction
from webapp.node import Node
from webapp.outbox import Outbox, Planned, State
from webapp.settling import Settler


def transfer(world, wei=1):
    """Plan a small payment to somebody."""
    return Planned(Call(world.people["other"].address, b"", wei, 21_000), "fund", "somebody")


def rows(world):
    """Return every transaction."""
    with world.parts.database.read() as session:
        return list(session.scalars(select(Transaction).order_by(Transaction.id)))


def test_a_form_sent_twice_is_sent_once(world):
    """The same idempotency key gives the first transaction back."""
    user, key = world.people["buyer"], world.keys["buyer"]
    first = world.parts.outbox.submit(user.id, key, "a" * 32, [transfer(world)])
    again = world.parts.outbox.submit(user.id, key, "a" * 32, [transfer(world, 2)])
    assert [row.hash for row in first] == [row.hash for row in again]
    assert len(rows(world)) == 1


def test_one_nonce_sequence_under_concurrency(world):
    """Forty forms at once of one account: forty nonces in a row, every one mined."""
    user, key = world.people["buyer"], world.keys["buyer"]
    start = world.parts.chain.nonce(user.address)
    world.parts.chain.node.call("evm_setAutomine", False)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: world.parts.outbox.submit(user.id, key, f"{n:032x}", [transfer(world)]), range(40)))
    finally:
        world.parts.chain.node.call("evm_setAutomine", True)
        world.parts.chain.node.call("anvil_mine", "0x1")
    assert sorted(row.nonce for row in rows(world)) == list(range(start, start + 40))
    world.settle()
    assert {row.state for row in rows(world)} == {State.DONE}


def test_signed_bytes_survive_a_dead_node_and_a_restart(world):
    """Stored before broadcast: a node that is away at first gets them later, from another process's outbox."""
    user, key = world.people["buyer"], world.keys["buyer"]
    outbox = Outbox(world.parts.database, world.parts.chain)
    outbox.broadcast = lambda _rows: None  # type: ignore[method-assign]  # the process ends right here
    outbox.submit(user.id, key, "b" * 32, [transfer(world)])
    assert rows(world)[0].state == State.STORED
    assert rows(world)[0].raw
    world.settle()
    assert rows(world)[0].state == State.DONE
    assert rows(world)[0].raw is None


def test_an_undone_block_puts_a_transaction_back_until_it_is_mined_again(world):
    """A reorganisation: mined, then sent again, then done in another block."""
    user, key, chain = world.people["buyer"], world.keys["buyer"], world.parts.chain
    settler = Settler(world.parts.database, chain, 3)
    snapshot = chain.node.call("evm_snapshot")
    world.parts.outbox.submit(user.id, key, "c" * 32, [transfer(world)])
    wait_for(lambda: settler.round() and rows(world)[0].state == State.MINED)
    first = rows(world)[0].block_hash
    chain.node.call("evm_revert", snapshot)
    chain.node.call("evm_setAutomine", False)
    settler.round()
    assert rows(world)[0].state == State.SENT
    chain.node.call("evm_setAutomine", True)

    def settled():
        chain.node.call("anvil_mine", "0x1")
        return settler.round() == 0

    wait_for(settled)
    assert rows(world)[0].state == State.DONE
    assert rows(world)[0].block_hash != first


def test_a_refusal_is_shown_with_the_contract_s_own_reason(world):
    """Mined and reverted: failed, with the reason decoded."""
    user, key, chain = world.people["buyer"], world.keys["buyer"], world.parts.chain
    plan = Planned(chain.registry.open_site("not mine"), "site", "not mine")
    world.parts.outbox.submit(user.id, key, "d" * 32, [plan])
    world.settle()
    row = rows(world)[0]
    assert row.state == State.FAILED
    assert row.error
    assert "operator" in row.error.lower()


def test_what_a_node_refused_can_be_sent_again_as_it_was(world):
    """Refused for want of funds, three times, and taken once there are some: the same call at the same nonce."""
    user, key, node = world.people["buyer"], world.keys["buyer"], world.parts.chain.node
    had = node.call("eth_getBalance", user.address, "latest")
    node.call("anvil_setBalance", user.address, "0x1")
    for form in "efa":
        world.parts.outbox.submit(user.id, key, form * 32, [transfer(world)])
        assert rows(world)[-1].state == State.REFUSED
    node.call("anvil_setBalance", user.address, had)
    world.parts.outbox.submit(user.id, key, "b" * 32, [transfer(world)])
    world.settle()
    assert [row.state for row in rows(world)] == [State.REFUSED] * 3 + [State.DONE]
    assert len({row.nonce for row in rows(world)}) == 1


@pytest.mark.parametrize("urls", [(), ("http://127.0.0.1:1",)])
def test_without_any_node_nothing_is_stored(world, urls):
    """The nonce is not guessed; the words name no node's address, which they show to everybody."""
    from webapp.errors import NodeUnreachable

    node = Node(urls, 0.5)
    outbox = Outbox(world.parts.database, Chain(node, world.parts.chain.deployments))
    with pytest.raises(NodeUnreachable, match="Nothing was sent") as refused:
        outbox.submit(world.people["buyer"].id, world.keys["buyer"], "e" * 32, [transfer(world)])
    assert rows(world) == []
    assert "127.0.0.1" not in str(refused.value)
    node.close()
