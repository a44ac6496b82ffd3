"""Follows what the outbox sent: again until mined, then to its confirmations; undone blocks put it back."""

import threading
from typing import Any

from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from sqlalchemy import select

from contracts.calls import Call
from contracts.errors import LadingError
from webapp.chain import Chain, Head, as_head
from webapp.database import Database
from webapp.models import Transaction, now
from webapp.node import RpcError
from webapp.outbox import OPEN, Outbox, State, fresh_rows
from webapp.perseverance import persevere
from webapp.seat import seat_of

AGAIN_S = 4
"""A transaction that is not mined is sent again this often."""
AT_ONCE = 2_000


class Settler:
    """Brings every open transaction of the outbox forward, one round at a time."""

    def __init__(self, database: Database, chain: Chain, confirmations: int) -> None:
        """Settle what is in this database on this chain, `confirmations` blocks deep."""
        self._database = database
        self._chain = chain
        self._confirmations = confirmations
        self._outbox = Outbox(database, chain)

    def run(self, stop: threading.Event, every_s: float) -> None:
        """Settle until told to stop, while this process has the seat; what does not answer only delays."""
        seat = seat_of(self._database, "outbox")

        def turn() -> bool:
            if seat.held():
                self.round()
            return False

        try:
            persevere(stop, every_s, "outbox", turn)
        finally:
            seat.leave()

    def round(self) -> int:
        """Look at every open transaction once; return how many are still open."""
        rows = self._open()
        if not rows:
            return 0
        head = self._chain.head()
        receipts = self._chain.node.batch([("eth_getTransactionReceipt", [row.hash]) for row in rows])
        missing = [row for row, receipt in zip(rows, receipts, strict=True) if receipt is None]
        counts = self._settled_counts({row.sender for row in missing}, head)
        blocks = self._blocks_of(receipts)
        with self._database.write() as session:
            now_there = fresh_rows(session, [row.id for row in rows])
            for row, receipt in zip(rows, receipts, strict=True):
                fresh = now_there.get(row.id)
                if fresh is None or isinstance(receipt, RpcError):
                    continue
                if receipt is None:
                    _not_mined(fresh, counts.get(row.sender, 0))
                else:
                    self._mined(fresh, receipt, blocks, head)
        self._outbox.broadcast([row for row in missing if _due(row)])
        return len(rows)

    def _open(self) -> list[Transaction]:
        query = select(Transaction).where(Transaction.state.in_(OPEN), Transaction.chain_id == self._chain.chain_id)
        with self._database.read() as session:
            return list(session.scalars(query.order_by(Transaction.sender, Transaction.nonce).limit(AT_ONCE)))

    def _settled_counts(self, senders: set[str], head: Head) -> dict[str, int]:
        """Return each account's nonce where a reorganisation no longer reaches."""
        deep = hex(max(0, head.number - self._confirmations))
        ordered = sorted(senders)
        answers = self._chain.node.batch([("eth_getTransactionCount", [sender, deep]) for sender in ordered])
        pairs = zip(ordered, answers, strict=True)
        return {sender: int(count, 16) for sender, count in pairs if isinstance(count, str)}

    def _blocks_of(self, receipts: list[Any]) -> dict[str, Head]:
        hashes = sorted({receipt["blockHash"] for receipt in receipts if isinstance(receipt, dict)})
        blocks = self._chain.node.batch([("eth_getBlockByHash", [hash_, False]) for hash_ in hashes])
        return {block["hash"]: as_head(block) for block in blocks if isinstance(block, dict)}

    def _mined(self, row: Transaction, receipt: dict[str, Any], blocks: dict[str, Head], head: Head) -> None:
        block = blocks.get(receipt["blockHash"])
        if block is None:
            return
        row.block, row.block_hash, row.parent_hash = block.number, block.hash, block.parent_hash
        row.confirmations = max(1, head.number - block.number + 1)
        row.fee_wei = int(receipt["gasUsed"], 16) * int(receipt.get("effectiveGasPrice") or "0x0", 16)
        row.state, row.error = State.MINED, None
        settled = row.confirmations >= self._confirmations
        if receipt["status"] != "0x1":
            row.error = row.error or self._why(row)
            row.state = State.FAILED if settled else State.MINED
        elif settled:
            row.state = State.DONE
        if settled:
            row.raw = None

    def _why(self, row: Transaction) -> str:
        """Return the contract's own reason: the same call, asked again at its block."""
        from contracts.calls import simulate

        sent = self._chain.node.call("eth_getTransactionByHash", row.hash) or {}
        to = to_checksum_address(sent["to"]) if sent.get("to") else None
        call = Call(to, HexBytes(sent.get("input", "0x")), int(sent.get("value", "0x0"), 16))
        try:
            simulate(self._chain.w3, row.sender, call, row.block or "latest")
        except LadingError as error:
            return str(error)
        return "the contract refused it"


def _not_mined(row: Transaction, settled_count: int) -> None:
    if row.state == State.MINED:
        # Its block was undone: it is in the pool again, or will be.
        row.state, row.block, row.block_hash, row.parent_hash = State.SENT, None, None, None
        row.confirmations, row.sent_at, row.fee_wei = 0, 0, None
    if row.nonce < settled_count:
        row.state, row.raw = State.REPLACED, None
        row.error = "Another transaction of this account was mined in its place."


def _due(row: Transaction) -> bool:
    return row.raw is not None and (row.sent_at is None or now() - row.sent_at >= AGAIN_S)
