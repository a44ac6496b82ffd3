"""A transaction of which the sealers never heard is not stuck in the node that took it."""

import os
import signal

import pytest
from eth_account import Account

from geth_network.amounts import ETHER
from geth_network.delivery import Delivery
from tests.geth_network.chain import Chain, await_that

pytestmark = pytest.mark.slow


def test_a_transaction_that_the_sealer_does_not_know_is_handed_to_it(chain: Chain) -> None:
    """Not at the first look, since gossip needs a moment; at the second; and the next block holds it."""
    sender = Account.create()
    network = chain.new(sealers=1, rpc_nodes=1, alloc_wei={sender.address: ETHER})
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
            delivery = Delivery()
            assert delivery.round([holder], [sealer]) == []
            assert sealer("eth_getTransactionByHash", name) is None
            assert delivery.round([holder], [sealer]) == [name]
            await_that(lambda: sealer("eth_getTransactionReceipt", name), "it is mined")
        finally:
            os.kill(running.process.pid, signal.SIGCONT)
