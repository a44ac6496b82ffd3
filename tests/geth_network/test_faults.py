"""What a chain survives: each claim is read from every node."""

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from eth_account.signers.local import LocalAccount

from geth_network.amounts import ETHER
from geth_network.errors import RpcError
from geth_network.network import Role
from geth_network.rpc import Ask
from tests.geth_network.chain import Chain, await_that, standing_still

pytestmark = pytest.mark.slow
SOMEBODY = "0x" + "34" * 20


class Load:
    """Transfers, one after another, through whichever RPC node answers; remembers what was accepted."""

    def __init__(self, chain: Chain, payer: LocalAccount) -> None:
        self.chain, self.payer = chain, payer
        self.accepted: dict[int, str] = {}
        self.nonce = int(self.anybody("eth_getTransactionCount", payer.address, "latest"), 16)
        self.stopping = threading.Event()

    def anybody(self, method: str, *params: object) -> str:
        """The answer of the first node that gives one."""
        for name in self.chain.names(Role.RPC, Role.SEALER):
            try:
                return str(self.chain.ask(name)(method, *params))
            except RpcError as refusal:
                if "already known" in str(refusal) or "nonce too low" in str(refusal):
                    return ""
        raise RpcError("no node answers")

    def send(self) -> None:
        """Signs the next transfer and offers it to every node that lives, as a careful sender does."""
        raw = self.payer.sign_transaction(
            {"chainId": self.chain.network().chain_id, "nonce": self.nonce, "to": SOMEBODY, "value": 1,
             "gas": 21_000, "gasPrice": 10**9}
        )  # fmt: skip
        try:
            self.anybody("eth_sendRawTransaction", "0x" + bytes(raw.raw_transaction).hex())
        except RpcError:
            return
        self.accepted[self.nonce] = "0x" + bytes(raw.hash).hex()
        self.nonce += 1

    def run(self) -> None:
        """Sends until told to stop."""
        while not self.stopping.wait(0.05):
            self.send()


@contextmanager
def under_load(chain: Chain, payer: LocalAccount) -> Iterator[Load]:
    """Transfers go on in the background."""
    load = Load(chain, payer)
    thread = threading.Thread(target=load.run)
    thread.start()
    try:
        yield load
    finally:
        load.stopping.set()
        thread.join(60)


def mined(ask: Ask, hashes: list[str]) -> dict[str, str]:
    """Those that are in a block, with the block's hash."""
    receipts = {tx: ask("eth_getTransactionReceipt", tx) for tx in hashes}
    return {tx: receipt["blockHash"] for tx, receipt in receipts.items() if receipt}


def strike(chain: Chain, payer: LocalAccount, victims: list[str]) -> int:
    """Kills nodes under load; sees that nothing mined is lost and no head falls behind; returns how many were mined.

    Confirmed means here what it means everywhere: as many blocks on top as there are sealers.
    """
    confirmations = len(chain.network().sealers)
    with under_load(chain, payer) as load:
        chain.await_progress("rpc-2" if "rpc-1" in victims else "rpc-1", blocks=confirmations + 2)
        heads = {name: chain.number(name) for name in chain.names()}
        settled = min(heads.values()) - confirmations
        before = {number: chain.block_hash("seller", number) for number in range(max(0, settled - 5), settled + 1)}
        payed = mined(chain.ask("seller"), list(load.accepted.values()))
        chain.kill(*victims)
        for name in chain.names():
            await_that(lambda name=name: chain.number(name) >= heads[name], f"{name} where it was; {chain.words()}")
        chain.await_progress(blocks=confirmations)
    assert load.accepted
    for name in chain.names():
        assert before == {number: chain.block_hash(name, number) for number in before}
        await_that(lambda name=name: set(payed) <= set(mined(chain.ask(name), list(payed))), f"all transfers on {name}")
    return len(payed)


@pytest.mark.parametrize(
    "victims",
    [["operator"], ["seller", "rpc-1"], ["seller", "buyer", "operator", "rpc-1", "rpc-2"]],
    ids=["one", "two", "all at once"],
)
def test_kill_under_load_loses_nothing(shared: Chain, payer: LocalAccount, victims: list[str]) -> None:
    """Kill -9 while transfers flow: no head falls back, nothing mined is lost, the chain goes on."""
    strike(shared, payer, victims)


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_fifty_kills_in_random_order_lose_nothing(
    chain: Chain, payer: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any number of nodes, fifty times, the seed printed; kills come faster than the watchdog forgives by default."""
    monkeypatch.setenv("LADING_CHAIN_STEADY_S", "3")
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    chain.new(alloc_wei={payer.address: ETHER})
    with chain.up():
        for round_number in range(50):
            victims = chance.sample(chain.names(), chance.randint(1, len(chain.names())))
            payed = strike(chain, payer, victims)
            print(f"round {round_number + 1}: kill -9 {' '.join(victims)}; {payed} transfers kept", flush=True)


def freeze(chain: Chain, *names: str) -> list[int]:
    """Suspends nodes; returns their processes."""
    pids = [pid for pid in map(chain.pid, names) if pid]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    return pids


def thaw(pids: list[int]) -> None:
    """Lets nodes go on."""
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


BRIEFLY = pytest.param(4, id="briefly")
MINUTE = pytest.param(60, id="a minute", marks=pytest.mark.long)


@pytest.mark.row("M16", "M19")
@pytest.mark.parametrize(
    "seconds", [pytest.param(4, id="briefly"), pytest.param(60, id="a minute", marks=pytest.mark.long)]
)
def test_one_of_three_frozen_blocks_go_on_two_frozen_they_wait(shared: Chain, seconds: int) -> None:
    """Two of three alternate. One alone adds one block at most; no fork; after SIGCONT one chain goes on by itself.

    Frozen, not killed, and an RPC node with them: the watchdog would start a dead one again.
    """
    acts = shared.words().count("heads differ: taking")
    pids = freeze(shared, "operator", "rpc-2")
    try:
        goal = shared.await_progress("seller", "buyer", "rpc-1", blocks=max(6, seconds))
        hashes = [shared.block_hash("seller", number) for number in range(goal - 3, goal + 1)]
        sealers = {shared.ask("seller")("clique_getSigner", found).lower() for found in hashes}
        assert len(sealers) == 2

        pids += freeze(shared, "buyer")
        last = shared.number("seller") + 1
        stuck = await_that(lambda: standing_still(shared, "seller", seconds), "the chain stands still", 180)
        assert stuck <= last + 1
        assert shared.words().count("heads differ: taking") == acts, "the watchdog saw a deadlock where there was none"
    finally:
        thaw(pids)
    shared.await_agreement(shared.await_progress(blocks=4))
    shared.await_agreement(stuck)
