"""`lading-chain fund`: pays an account from the treasury, the only source of ether on the chain."""

import fcntl
import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount

from geth_network.errors import FolderError, RpcError
from geth_network.folder import Folder
from geth_network.keys import load_account
from geth_network.network import Role, load_network
from geth_network.rpc import Ask, HttpNode, IpcNode, head_or_none

GAS = 100_000  # an account with code may want more than 21,000
FEE_WEI = 10**10  # a generous ceiling; the base fee is what is paid


@dataclass(frozen=True)
class Payment:
    """A payment that has been mined."""

    transaction: str
    block: int
    balance_wei: int


def fund(folder: Folder, address: str, wei: int, timeout_s: float = 60) -> Payment:
    """Pays one account, as `fund_all` does."""
    return fund_all(folder, {address: wei}, timeout_s)[address]


def fund_all(folder: Folder, payments: Mapping[str, int], timeout_s: float = 60) -> dict[str, Payment]:
    """Pays each address so many wei, waits until a majority of the sealers has built on all. One caller at a time pays.

    A payment that a one-block reorganisation takes back would leave the receiver's next transaction unpayable at the
    sealers, which forget it: nodes announce a transaction once.
    """
    ready = folder.read_ready()
    if not (folder.treasury / "keystore.json").exists():
        raise FolderError(f"the treasury's keystore is not in {folder.treasury}: only the member who holds it can pay")
    treasury = load_account(folder.treasury)
    sealers = load_network(folder.network).of_role(Role.SEALER)
    ask = first_answering([*map(HttpNode, ready["rpc"]), *(IpcNode(folder.ipc(node.name)) for node in sealers)])
    with (folder.treasury / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        chain_id, depth = int(ready["chain_id"]), len(ready["sealers"]) // 2
        nonces = itertools.count(int(ask("eth_getTransactionCount", treasury.address, "pending"), 16))
        sent = {
            address: send(ask, treasury, {"chainId": chain_id, "nonce": nonce, "to": address, "value": wei})
            for nonce, (address, wei) in zip(nonces, payments.items(), strict=False)
        }
        return {address: settled(ask, address, hash_, depth, timeout_s) for address, hash_ in sent.items()}


def first_answering(nodes: Sequence[Ask]) -> Ask:
    """A node that is there; one of them may be restarting, and a member may have sealers only."""
    for node in nodes:
        if head_or_none(node):
            return node
    raise RpcError("none of our nodes answers: look at `lading-chain status`")


def send(ask: Ask, payer: LocalAccount, transfer: dict[str, Any]) -> str:
    """Signs and sends a transfer; returns its hash. The nonce is given: a node counts a moment later only."""
    fees = {"type": "0x2", "gas": GAS, "maxFeePerGas": FEE_WEI, "maxPriorityFeePerGas": 1}
    signed = payer.sign_transaction(transfer | fees)
    return str(ask("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex().removeprefix("0x")))


def settled(ask: Ask, address: str, transaction: str, depth: int, timeout_s: float) -> Payment:
    """The payment, once its block has `depth` blocks on top."""
    mined = await_settled(ask, transaction, depth, timeout_s)
    return Payment(transaction, int(mined["blockNumber"], 16), int(ask("eth_getBalance", address, "latest"), 16))


def await_mined(ask: Ask, transaction: str, timeout_s: float) -> dict[str, Any]:
    """The receipt of a transaction; raises when it reverted or took too long."""
    deadline = time.monotonic() + timeout_s
    while (receipt := ask("eth_getTransactionReceipt", transaction)) is None:
        if time.monotonic() > deadline:
            raise RpcError(f"{transaction} is not mined after {timeout_s:.0f} s: look at `lading-chain status`")
        time.sleep(0.1)
    if receipt["status"] != "0x1":
        raise RpcError(f"{transaction} was mined but reverted: the receiver refused it")
    return dict(receipt)


def await_settled(ask: Ask, transaction: str, depth: int, timeout_s: float) -> dict[str, Any]:
    """The receipt of a transaction once its block has `depth` blocks on top, in whichever block it then is."""
    deadline = time.monotonic() + timeout_s
    while True:
        receipt = await_mined(ask, transaction, max(0.0, deadline - time.monotonic()))
        if int(ask("eth_blockNumber"), 16) >= int(receipt["blockNumber"], 16) + depth:
            return receipt
        time.sleep(0.1)
