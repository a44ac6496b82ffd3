"""How many sealers may be dead: fewer than half."""

import pytest

from tests.geth_network.chain import Chain, await_that, standing_still
from tests.geth_network.test_faults import freeze, thaw

pytestmark = pytest.mark.slow


@pytest.mark.row("M16", "M19")
def test_two_of_five_dead_blocks_go_on_three_dead_they_wait(chain: Chain) -> None:
    """No fork, nothing lost, one that returns is enough to go on, and the dead ones catch up.

    Exactly three of five can deadlock, or wait for a block that its sealer missed; the watchdog ends both.
    """
    chain.new(sealers=5, rpc_nodes=0)
    first, second, third, fourth, fifth = chain.names()
    with chain.up("--without", fourth, "--without", fifth):
        goal = chain.await_progress(first, second, third, blocks=6)
        settled = chain.await_agreement(goal, first, second, third)

        returning = freeze(chain, third)
        try:
            stuck = await_that(lambda: standing_still(chain, first), "the chain stands still")
            last = chain.await_agreement(stuck - 2, first, second)
        finally:
            thaw(returning)
        chain.await_progress(first, second, third, blocks=4)
        assert chain.await_agreement(stuck - 2, first, second, third) == last
    with chain.up():
        chain.await_agreement(chain.await_progress())
        assert chain.await_agreement(goal) == settled
