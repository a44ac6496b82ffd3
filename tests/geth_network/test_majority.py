"""How many sealers may be dead: fewer than half."""

import pytest

from tests.geth_network.bare import Sealers
from tests.geth_network.chain import Chain, await_that, standing_still

pytestmark = pytest.mark.slow


@pytest.mark.row("M16", "M19")
def test_two_of_five_dead_blocks_go_on_three_dead_they_wait(chain: Chain) -> None:
    """Nobody helps: no watchdog runs. No fork, nothing lost, and one that returns is enough to go on."""
    chain.new(sealers=5, rpc_nodes=0)
    sealers = Sealers(chain)
    *living, third, fourth, fifth = sealers.names
    try:
        sealers.start(*sealers.names)
        chain.await_progress()
        sealers.kill(fourth, fifth)
        goal = chain.await_progress(*living, third, blocks=6)
        settled = chain.await_agreement(goal, *living, third)

        sealers.kill(third)
        stuck = await_that(lambda: standing_still(chain, living[0]), "the chain stands still")
        last = chain.await_agreement(stuck, *living)

        sealers.start(third)
        chain.await_progress(*living, third, blocks=4)
        assert chain.await_agreement(stuck, *living, third) == last
        sealers.start(fourth, fifth)
        chain.await_agreement(chain.await_progress())
        assert chain.await_agreement(goal) == settled
    finally:
        sealers.kill()
