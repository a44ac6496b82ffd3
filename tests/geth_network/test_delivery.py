"""A transaction of which the sealers never heard is not stuck in the node that took it."""

import math
import os
import signal
import threading
from collections import Counter
from typing import Any

import pytest
from eth_account import Account

from geth_network.amounts import ETHER
from geth_network.delivery import Delivery
from geth_network.errors import RpcError
from geth_network.patrol import Patrol
from geth_network.supervisor import Supervisor
from tests.geth_network.chain import Chain, await_that


@pytest.mark.parametrize(
    ("silent", "expected"),
    [("holder", {"holder": 1}), ("sealer", {"holder": 5, "sealer": 1}), ("nobody", {"holder": 5, "sealer": 5})],
)
def test_a_node_that_hangs_costs_one_time_out(silent: str, expected: dict[str, int]) -> None:
    """Of five transactions that wait, a hung node is asked about one; a refusal is an answer, and the rest is sent."""
    asked: list[tuple[str, str]] = []

    def holder(method: str, *params: str) -> Any:
        waiting = {"0xa": {str(nonce): {"hash": f"0x{nonce}"} for nonce in range(5)}}
        if method == "eth_getRawTransactionByHash":
            asked.append(("holder", params[0]))
            if silent == "holder":
                raise RpcError("does not answer")
        return {"txpool_status": {"pending": "0x5"}, "txpool_content": {"pending": waiting}}.get(method, "0xraw")

    def sealer(_: str, raw: str) -> Any:
        asked.append(("sealer", raw))
        raise RpcError("does not answer") if silent == "sealer" else RpcError("already known", -32000)

    delivery = Delivery()
    for _ in range(2):
        delivery.round([holder], [sealer])
    assert Counter(name for name, _ in asked) == expected


def look(patrol: Patrol) -> None:
    """Lets a watchdog do what it does every fifteen seconds, and nothing else."""
    patrol.next_look, patrol.next_tidy = math.inf, 0
    patrol()


@pytest.mark.slow
def test_a_transaction_that_the_sealer_does_not_know_is_handed_to_it(chain: Chain) -> None:
    """Not at the first look, since gossip needs a moment; at the second; and the next block holds it."""
    sender = Account.create()
    network = chain.new(sealers=1, rpc_nodes=1, alloc_wei={sender.address: ETHER})
    said: list[str] = []
    commands: dict[str, list[str]] = {name: [] for name in chain.names()}
    patrol = Patrol(Supervisor(chain.folder, network, commands, say=said.append, stopping=threading.Event()), 60)
    with chain.up() as running:
        sealer, holder = chain.ask("seller"), chain.ask("rpc-1")
        assert running.process is not None
        os.kill(running.process.pid, signal.SIGSTOP)  # its own watchdog is not to act here
        try:
            for ask, other in ((sealer, holder), (holder, sealer)):
                ask("admin_removePeer", other("admin_nodeInfo")["enode"])
            await_that(lambda: not holder("admin_peers"), "the two are apart")
            sent = {"to": sender.address, "gas": 21_000, "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9}
            signed = sender.sign_transaction({**sent, "nonce": 0, "chainId": network.chain_id, "value": 0})
            name = holder("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex())
            look(patrol)
            assert (said, sealer("eth_getTransactionByHash", name)) == ([], None)
            look(patrol)
            assert said == ["told our sealers again of transactions that have waited: 1"]
            await_that(lambda: sealer("eth_getTransactionReceipt", name), "it is mined")
        finally:
            os.kill(running.process.pid, signal.SIGCONT)
