"""Calls that change something: built without a node, then signed and sent by whoever holds a key."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_account.datastructures import SignedTransaction
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import Web3RPCError
from web3.types import BlockIdentifier, TxParams, TxReceipt, Wei

from contracts import chain
from contracts.address import checksummed
from contracts.fault import ContractError, NodeError, UnknownRefusal
from contracts.interface import function

GAS: Final = 200_000
TIP_WEI: Final = 1_000_000_000
RECEIPT_TIMEOUT_S: Final = 120.0
# What geth, anvil and ganache say of a transaction that they have already.
_KNOWN: Final = ("already known", "already imported", "known transaction")
POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Call:
    """An unsigned call. `gas` is a limit that suffices, so that no node need be asked for an estimate.

    A `to` of `None` creates a contract.
    """

    to: ChecksumAddress | None
    data: HexBytes
    value_wei: int = 0
    gas: int = GAS

    def transaction(self, sender: str | None = None) -> TxParams:
        """The call as web3.py and nodes take it; with `sender`, as if sent by that account."""
        transaction: TxParams = {"data": self.data, "value": Wei(self.value_wei)}
        if self.to is not None:
            transaction["to"] = self.to
        if sender is not None:
            transaction["from"] = checksummed(sender)
        return transaction


def to_contract(
    contract: str, address: ChecksumAddress, name: str, *arguments: object, value_wei: int = 0, gas: int = GAS
) -> Call:
    """The call of a function of one of our contracts."""
    return Call(address, function(contract, name).call_data(*arguments), value_wei, gas)


def read(
    w3: Web3,
    contract: str,
    address: ChecksumAddress,
    name: str,
    *arguments: object,
    block: BlockIdentifier = "latest",
) -> tuple[Any, ...]:
    """The outputs of a view, asked at a block.

    Raises:
        ContractError: the contract refused.
        NodeError: there is no usable answer, or no contract at the address.
    """
    entry = function(contract, name)
    return entry.decode_answer(chain.call(w3, {"to": address, "data": entry.call_data(*arguments)}, block))


def read_many(
    w3: Web3, contract: str, address: ChecksumAddress, names: Sequence[str], block: int
) -> list[tuple[Any, ...]]:
    """The outputs of views without arguments, asked in one batch.

    Raises:
        ContractError: the contract refused.
        NodeError: there is no usable answer, or no contract at the address.
    """
    found = [function(contract, name) for name in names]
    answers = chain.call_many(w3, [{"to": address, "data": entry.call_data()} for entry in found], block)
    return [entry.decode_answer(answer) for entry, answer in zip(found, answers, strict=True)]


def simulate(
    w3: Web3, sender: str, call: Call, block: BlockIdentifier = "latest", *, gas: int | None = None
) -> HexBytes:
    """Ask the node what the call would do now, sent by `sender`, with so much gas at most; nothing is sent.

    Raises:
        ContractError: the contract would refuse.
        NodeError: there is no usable answer.
    """
    transaction = call.transaction(sender)
    if not call.value_wei:
        del transaction["value"]
    if gas is not None:
        transaction["gas"] = gas
    return chain.call(w3, transaction, block)


def sign(
    w3: Web3, account: LocalAccount, call: Call, nonce: int | None = None, *, tip_wei: int = TIP_WEI
) -> SignedTransaction:
    """The signed transaction; without `nonce`, with the next one that the node knows."""
    with chain.asking():
        if nonce is None:
            nonce = w3.eth.get_transaction_count(account.address, "pending")
        base_fee = w3.eth.get_block("latest").get("baseFeePerGas", 0)
        fields: dict[str, Any] = {
            **call.transaction(),
            "type": 2,
            "chainId": w3.eth.chain_id,
            "nonce": nonce,
            "gas": call.gas,
            "maxPriorityFeePerGas": tip_wei,
            "maxFeePerGas": 2 * int(base_fee) + tip_wei,
        }
    return account.sign_transaction(fields)


def send(w3: Web3, account: LocalAccount, call: Call, *, timeout_s: float = RECEIPT_TIMEOUT_S) -> TxReceipt:
    """Sign, send, wait until it is mined; a call that would be refused now is not sent at all.

    Raises:
        ContractError: the contract refused.
        NodeError: there is no usable answer, or the transaction was not mined in time.
    """
    simulate(w3, account.address, call)
    return send_signed(w3, account.address, call, sign(w3, account, call), timeout_s=timeout_s)


def send_signed(
    w3: Web3, sender: str, call: Call, signed: SignedTransaction, *, timeout_s: float = RECEIPT_TIMEOUT_S
) -> TxReceipt:
    """Send the signed call and wait until it is mined.

    Raises:
        ContractError: the contract refused.
        NodeError: there is no usable answer, or the transaction was not mined in time.
    """
    return send_raw(w3, sender, call, HexBytes(signed.raw_transaction), timeout_s=timeout_s)


def send_raw(w3: Web3, sender: str, call: Call, signed: HexBytes, *, timeout_s: float = RECEIPT_TIMEOUT_S) -> TxReceipt:
    """Send the call as signed bytes, which the node may have already, and wait until it is mined.

    Raises:
        ContractError: the contract refused.
        NodeError: there is no usable answer, or the transaction was not mined in time.
    """
    with chain.asking():
        receipt = await_receipt(w3, _broadcast(w3, signed), timeout_s)
    if receipt["status"] != 1:
        raise why_reverted(w3, sender, call, receipt)
    return receipt


def _broadcast(w3: Web3, signed: HexBytes) -> HexBytes:
    try:
        return w3.eth.send_raw_transaction(signed)
    except Web3RPCError as error:
        if not any(sign in str(error.message).lower() for sign in _KNOWN):
            raise
        return HexBytes(keccak(signed))


def await_receipt(w3: Web3, hash_: HexBytes, timeout_s: float = RECEIPT_TIMEOUT_S) -> TxReceipt:
    """The receipt, once it is there and the head has come to its block.

    Raises:
        NodeError: the transaction was not mined in time, or the head does not come.
    """
    with chain.asking():
        receipt = w3.eth.wait_for_transaction_receipt(hash_, timeout=timeout_s, poll_latency=POLL_S)
        _await_head(w3, receipt["blockNumber"], timeout_s)
    return receipt


def _await_head(w3: Web3, number: int, timeout_s: float) -> None:
    """Geth shows a receipt a moment before `latest` is its block; whoever reads next expects to see the change."""
    deadline = time.monotonic() + timeout_s
    while w3.eth.block_number < number:
        if time.monotonic() > deadline:
            raise NodeError(f"the node has a receipt of block {number} and never came to it")
        time.sleep(POLL_S)


def why_reverted(w3: Web3, sender: str, call: Call, receipt: TxReceipt) -> ContractError | NodeError:
    """The refusal of a mined transaction: the same call is asked again at its block, with as much gas."""
    try:
        simulate(w3, sender, call, receipt["blockNumber"], gas=call.gas)
    except (ContractError, NodeError) as error:
        if not isinstance(error, UnknownRefusal) or receipt["gasUsed"] * 64 < call.gas * 62:
            return error
        return UnknownRefusal(f"the call ran out of its {call.gas} gas: send it again with more")
    hash_ = receipt["transactionHash"].to_0x_hex()
    return UnknownRefusal(f"transaction {hash_} was refused in block {receipt['blockNumber']}")
