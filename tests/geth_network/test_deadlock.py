"""A real Clique deadlock, made on purpose, and the watchdog that ends it.

With one sealer dead, the other two each seal a block of the same height and weight without having seen the other's:
both have sealed lately, neither finds the other's head heavier, and nobody may seal the next block.
"""

import time

import pytest

from tests.geth_network.bare import Sealers
from tests.geth_network.chain import Chain, await_that

pytestmark = pytest.mark.slow


def at_the_moment(sealers: Sealers) -> int:
    """Waits for a head at which first and third may both seal next, out of turn and so with equal weight: its number.

    The next block is the second's turn, and the second, having sealed this one, must rest.
    """
    chain, ask = sealers.chain, sealers.chain.ask(sealers.first)
    while True:
        head = chain.head(sealers.first)
        if (
            head
            and head.number % 3 == 0
            and head.number
            and ask("clique_getSigner", head.hash).lower() == sealers.second_address
        ):
            other = chain.head(sealers.third)
            if other and other.hash == head.hash:
                return head.number
        time.sleep(0.02)


def make_deadlock(chain: Chain) -> tuple[str, str, str]:
    """Two sealers on heads of their own; returns them and the third, dead one."""
    sealers = Sealers(chain)
    for _ in range(10):
        try:
            sealers.start(sealers.first, sealers.second, sealers.third)
            chain.await_progress(sealers.first, sealers.third)
            sealers.chain.ask(sealers.first)("miner_stop")  # so that second and third alternate, out of turn at times
            number = at_the_moment(sealers)
            sealers.kill()
            if sealers.seal_alone(sealers.first, number + 1) and sealers.seal_alone(sealers.third, number + 1):
                return sealers.first, sealers.third, sealers.second
        finally:
            sealers.kill()
    raise AssertionError("the moment never came")


def test_the_watchdog_ends_a_deadlock(chain: Chain) -> None:
    """One sealer, once, goes back two blocks; then blocks go on with two of three."""
    chain.new(rpc_nodes=0)
    first, third, dead = make_deadlock(chain)
    with chain.up("--without", dead):
        goal = chain.await_progress(first, third, blocks=4)
        chain.await_agreement(goal, first, third)
        assert chain.words().count("and heads differ: taking") == 1


def test_sealers_that_missed_their_block_are_told_again(chain: Chain) -> None:
    """Nobody seals, everybody is of one mind and connected: blocks go on by themselves."""
    chain.new(rpc_nodes=0)
    with chain.up():
        chain.await_progress()
        for name in chain.names():
            chain.ask(name)("miner_stop")
        await_that(lambda: "telling our sealers again" in chain.words(), "the watchdog's word")
        chain.await_agreement(chain.await_progress(blocks=4))
        assert "and heads differ" not in chain.words()


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_without_the_watchdog_it_lasts(chain: Chain) -> None:
    """The deadlock is one: left alone, no block comes for a minute."""
    chain.new(rpc_nodes=0)
    first, third, _ = make_deadlock(chain)
    sealers = Sealers(chain)
    try:
        sealers.start(first, third)
        await_that(lambda: chain.ask(first)("net_peerCount") == "0x1", "the two see each other")
        heads = chain.head(first), chain.head(third)
        time.sleep(60)
        assert (chain.head(first), chain.head(third)) == heads
    finally:
        sealers.kill()
