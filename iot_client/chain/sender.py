"""Transactions of the device's own key: nonce, fee, and again until mined or impossible.

One thread sends. A transaction is in the journal before it is on the wire, so that a restart sends the same one and
never a second with another nonce.
"""

import logging
import time
from dataclasses import replace
from enum import StrEnum
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from contracts.calls import Call
from iot_client.chain.node import Node
from iot_client.chain.sealing import Sealer
from iot_client.journal import Journal, Key, Sending

log = logging.getLogger("iot_client.chain")

TIP_WEI = 1_000_000_000
RESEND_S = 4.0
REPLACED_AFTER_S = 30.0
RAISE_PERCENT = 13
"""A pool wants a tenth more, of tip and limit, before it lets a transaction replace another."""


def raised(raw: bytes, base_fee: int) -> dict[str, Any] | None:
    """The transaction's fields with fees that a pool takes for a replacement; None while its own still pay."""
    fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    tip, limit = int(fields["maxPriorityFeePerGas"]), int(fields["maxFeePerGas"])
    if limit >= base_fee + tip:
        return None
    wanted = {name: value for name, value in fields.items() if name not in ("v", "r", "s", "accessList")}
    dearer = tip + tip * RAISE_PERCENT // 100
    return wanted | {"maxPriorityFeePerGas": dearer, "maxFeePerGas": 2 * base_fee + dearer}


class Fate(StrEnum):
    """What became of a transaction."""

    PENDING = "pending"
    MINED = "mined"
    REVERTED = "reverted"
    REPLACED = "replaced"


class Sender:
    """Signs, sends and follows."""

    def __init__(self, node: Node, account: LocalAccount, journal: Journal, chain_id: int) -> None:
        self._node = node
        self._account = account
        self._journal = journal
        self._chain_id = chain_id
        self._sealer = Sealer(bytes(account.key))
        self._sent: dict[int, float] = {}
        self._missed: dict[int, float] = {}

    def sign(self, kind: str, call: Call, key: Key, base_fee: int) -> Sending:
        """A signed transaction with the next nonce; nothing is sent or written."""
        nonce = self._next_nonce()
        fields: dict[str, Any] = {
            "to": call.to,
            "data": call.data,
            "value": call.value_wei,
            "type": 2,
            "chainId": self._chain_id,
            "nonce": nonce,
            "gas": call.gas,
            "maxPriorityFeePerGas": TIP_WEI,
            "maxFeePerGas": 2 * base_fee + TIP_WEI,
        }
        signed = self._account.sign_transaction(fields)
        raw = self._sealer.seal(bytes(signed.raw_transaction))
        return Sending(nonce, kind, key.sale, key.attempt, signed.hash.to_0x_hex(), raw, time.time())

    def send(self, sending: Sending) -> None:
        """Put it on the wire; it is in the journal already."""
        self._sent[sending.nonce] = time.monotonic()
        self._node.send(self._sealer.open(sending.raw))

    def follow(self, sending: Sending, depth: int) -> Fate:
        """What became of it; sends it again where the node may have forgotten it.

        An outcome counts only `depth` blocks down, since a reorganisation may still turn it, and nothing else
        need be asked before.
        """
        mined = self._node.mined(sending.hash)
        if mined is None:
            return self._missing(sending)
        self._missed.pop(sending.nonce, None)
        if self._node.head().number < mined.block + depth:
            return Fate.PENDING
        return Fate.MINED if mined.succeeded else Fate.REVERTED

    def _missing(self, sending: Sending) -> Fate:
        """Not mined as far as this node knows; the nodes behind a gateway are not all equally far."""
        if self._node.nonce() <= sending.nonce:
            self._missed.pop(sending.nonce, None)
            self._send_again(sending)
            return Fate.PENDING
        since = self._missed.setdefault(sending.nonce, time.monotonic())
        return Fate.REPLACED if time.monotonic() - since > REPLACED_AFTER_S else Fate.PENDING

    def _send_again(self, sending: Sending) -> None:
        if time.monotonic() - self._sent.get(sending.nonce, float("-inf")) <= RESEND_S:
            return
        raw = self._sealer.open(sending.raw)
        dearer = raised(raw, self._node.head().base_fee)
        if dearer is not None:
            sending = self._replace(sending, dearer)
        log.info("sent again", extra={"fields": {"kind": sending.kind, "hash": sending.hash, "dearer": bool(dearer)}})
        self.send(sending)

    def _replace(self, sending: Sending, fields: dict[str, Any]) -> Sending:
        """The same call with the same nonce: only one of both can be mined, and the proof tells what it did."""
        signed = self._account.sign_transaction(fields)
        raw = self._sealer.seal(bytes(signed.raw_transaction))
        replaced = replace(sending, hash=signed.hash.to_0x_hex(), raw=raw)
        self._journal.add_sending(replaced)
        return replaced

    def under_way(self, key: Key, kind: str) -> Sending | None:
        """The transaction of this kind for this release that is not settled."""
        for sending in self._journal.sendings():
            if (sending.sale, sending.attempt, sending.kind) == (key.sale, key.attempt, kind):
                return sending
        return None

    def drop(self, sending: Sending) -> None:
        """Forget a transaction that did nothing; the next question sends a new one."""
        self._journal.forget_sending(sending.nonce)

    def issue(self, kind: str, call: Call, key: Key) -> Sending:
        """Sign, write down and send a call that needs no person: `complete` or `abort`."""
        sending = self.sign(kind, call, key, self._node.head().base_fee)
        self._journal.add_sending(sending)
        self.send(sending)
        return sending

    def _next_nonce(self) -> int:
        # A node that hangs back would offer a nonce that was used; the journal knows better.
        return max(self._node.nonce(), self._journal.highest_nonce() + 1)
