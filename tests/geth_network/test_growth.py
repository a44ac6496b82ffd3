"""Chains that have grown: a late join over ten thousand blocks, and what an order takes on disk."""

import json

import pytest

from contracts.chain import connect
from geth_network.amounts import ETHER
from geth_network.bench_join import await_restart, chain_bytes, follow_join, make_long_chain, memory_of
from tests.contracts.nodes import FUNDER, Node
from tests.contracts.world import World
from tests.geth_network.chain import Chain

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ORDERS, IDLE_BLOCKS = 15, 60


@pytest.mark.row("B2")
@pytest.mark.parametrize("blocks", [3_000, pytest.param(10_000, marks=pytest.mark.long)])
def test_a_late_joiner_follows_a_long_chain(chain: Chain, blocks: int) -> None:
    """Same head, same state root; the joiner starts once anew, to give back what fetching took, and stays.

    Blocks that were sealed ahead are geth's own as soon as it has imported them.
    """
    make_long_chain(chain.folder, blocks)
    with chain.up(wait=False):
        print(f"{blocks} blocks in {follow_join(chain.folder, 'rpc-1', blocks):.1f} s")
        print(f"memory in MiB: {memory_of(chain.folder, ['seller', 'rpc-1'])}")
        await_restart(chain.folder, "rpc-1")
        goal = chain.await_progress()
        chain.await_agreement(goal)
        print(f"memory in MiB: {memory_of(chain.folder, ['seller', 'rpc-1'])}")
        for number in (blocks, goal):
            found = [chain.ask(name)("eth_getBlockByNumber", hex(number), False) for name in chain.names()]
            assert len({(block["hash"], block["stateRoot"]) for block in found}) == 1
        state = json.loads(chain.folder.state.read_text())
        assert (state["rpc-1"]["restarts"], state["seller"]["restarts"]) == (1, 0)


@pytest.mark.long
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
