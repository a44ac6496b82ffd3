"""Tables of the explorer and the stream: every block, every transaction, and what was told of them in which order."""

from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models import Base


class LedgerBlock(Base):
    """One block, and who sealed it."""

    __tablename__ = "ledger_blocks"
    __table_args__ = (Index("ledger_blocks_hash", "hash"),)
    chain_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(String(66))
    parent_hash: Mapped[str] = mapped_column(String(66))
    timestamp: Mapped[int]
    sealer: Mapped[str] = mapped_column(String(42))
    gas_used: Mapped[int]
    gas_limit: Mapped[int]
    count: Mapped[int]


class LedgerTransaction(Base):
    """One mined transaction, its call decoded where it goes to a contract of ours; signatures are not kept."""

    __tablename__ = "ledger_transactions"
    __table_args__ = (
        Index("ledger_transactions_hash", "hash"),
        Index("ledger_transactions_sender", "chain_id", "sender", "block", "position"),
        Index("ledger_transactions_recipient", "chain_id", "recipient", "block", "position"),
    )
    chain_id: Mapped[int] = mapped_column(primary_key=True)
    block: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(String(66))
    timestamp: Mapped[int]
    sender: Mapped[str] = mapped_column(String(42))
    recipient: Mapped[str | None] = mapped_column(String(42))
    created: Mapped[str | None] = mapped_column(String(42))
    """The contract that it made, if it names no recipient."""
    value_wei: Mapped[str] = mapped_column(String(78))
    nonce: Mapped[int]
    gas_limit: Mapped[int]
    gas_used: Mapped[int]
    succeeded: Mapped[bool]
    sale: Mapped[str | None] = mapped_column(String(42))
    """The sale that it moves: the buyer's privacy hangs on it. `MANY` where it moves several."""
    call: Mapped[str] = mapped_column(String(64))
    """The function's name; the selector where the contract is none of ours; empty for a plain payment."""
    args: Mapped[dict[str, Any]]


MANY = "many"


class Refusal(Base):
    """Why a contract refused a transaction: asked while the node had the state, and kept when the index is not."""

    __tablename__ = "refusals"
    hash: Mapped[str] = mapped_column(String(66), primary_key=True)
    block_hash: Mapped[str] = mapped_column(String(66), primary_key=True)
    words: Mapped[str] = mapped_column(Text)


class FeedRow(Base):
    """What was told to those who listen, in this order: an order's event, a block, or that blocks were undone."""

    __tablename__ = "feed"
    __table_args__ = (Index("feed_standing", "chain_id", "standing", "kind", "block"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    chain_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    block: Mapped[int]
    hash: Mapped[str] = mapped_column(String(66))
    sale: Mapped[str | None] = mapped_column(String(42))
    standing: Mapped[bool]
    """Whether what it tells still holds; false once its block was undone."""
    data: Mapped[dict[str, Any]]


LEDGER = (LedgerBlock, LedgerTransaction)
