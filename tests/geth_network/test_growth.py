"""Chains that have grown: a late join over ten thousand blocks, and what an order takes on disk."""

import pytest

from contracts.chain import connect
from geth_network.amounts import ETHER
from geth_network.bench_join import chain_bytes, follow_join, make_long_chain
from tests.contracts.nodes import FUNDER, Node
from tests.contracts.world import World
from tests.geth_network.chain import Chain

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1800)]
BLOCKS = 10_000
ORDERS, IDLE_BLOCKS = 15, 60


@pytest.mark.row("B2")
def test_a_late_joiner_follows_ten_thousand_blocks(chain: Chain) -> None:
    """Same head, same state root; blocks that were sealed ahead are geth's own as soon as it has imported them."""
    make_long_chain(chain.folder, BLOCKS)
    with chain.up(wait=False):
        print(f"{BLOCKS} blocks in {follow_join(chain.folder, 'rpc-1', BLOCKS):.1f} s")
        goal = chain.await_progress()
        chain.await_agreement(goal)
        for number in (BLOCKS, goal):
            blocks = [chain.ask(name)("eth_getBlockByNumber", hex(number), False) for name in chain.names()]
            assert len({(block["hash"], block["stateRoot"]) for block in blocks}) == 1


def test_what_an_order_takes_on_disk(chain: Chain) -> None:
    """Offer, purchase, release and completion of many sales, beside blocks without any."""
    chain.new(rpc_nodes=1, alloc_wei={FUNDER.address: 1_000_000 * ETHER})
    with chain.up():
        url = chain.folder.read_ready()["rpc"][0]
        world = World.build(Node("geth", connect(url, timeout=60), url, FUNDER), chain.home / "deployments.json")
        start, before = chain.number("rpc-1"), chain_bytes(chain.folder, "rpc-1")
        for _ in range(ORDERS):
            world.send(world.device, world.releasing().complete())
        passed, after = chain.number("rpc-1") - start, chain_bytes(chain.folder, "rpc-1")
        chain.await_progress("rpc-1", blocks=IDLE_BLOCKS)
        a_block = (chain_bytes(chain.folder, "rpc-1") - after) / IDLE_BLOCKS
    an_order = (after - before - passed * a_block) / ORDERS
    print(f"{passed} blocks with {ORDERS} orders: {after - before} bytes")
    print(f"{a_block:.0f} bytes a block, {an_order:.0f} bytes an order")
    assert a_block > 0
    assert an_order > 0
