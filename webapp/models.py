"""The tables. The first half is an index of the chain and can be rebuilt; the second half is this application's own."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

WEI_DIGITS = 29
"""2^96 has this many: what a price may have."""


class Wei(TypeDecorator[int]):
    """An amount up to 2^96 as digits padded with zeros: sorts and compares in every database."""

    impl = String(WEI_DIGITS)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Pad."""
        return None if value is None else f"{value:0{WEI_DIGITS}d}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Read."""
        return None if value is None else int(value)


class Base(DeclarativeBase):
    """All tables."""

    # SQLite's INTEGER has 64 bits, and only it counts keys up by itself.
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy's own form
        int: BigInteger().with_variant(Integer(), "sqlite"),
        dict[str, Any]: JSON,
    }


def now() -> int:
    """Return the time in Unix seconds."""
    return int(datetime.now(UTC).timestamp())


# --- the index of the chain ---------------------------------------------------------------------


class Block(Base):
    """Where the index stood: the newest block of each range that was taken in."""

    __tablename__ = "blocks"
    chain_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(String(66))
    parent_hash: Mapped[str] = mapped_column(String(66))
    timestamp: Mapped[int]


class Event(Base):
    """One decoded log; the rows below are what follows from these."""

    __tablename__ = "events"
    __table_args__ = (Index("events_entity", "chain_id", "entity"), Index("events_tx", "tx_hash"))
    chain_id: Mapped[int] = mapped_column(primary_key=True)
    block: Mapped[int] = mapped_column(primary_key=True)
    log_index: Mapped[int] = mapped_column(primary_key=True)
    block_hash: Mapped[str] = mapped_column(String(66))
    tx_hash: Mapped[str] = mapped_column(String(66))
    timestamp: Mapped[int]
    address: Mapped[str] = mapped_column(String(42))
    entity: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(32))
    args: Mapped[dict[str, Any]]


class SaleRow(Base):
    """One sale as its events tell it."""

    __tablename__ = "sales"
    __table_args__ = (
        # Whole searches are answered from these two without a look at the table.
        Index("sales_by_age", "chain_id", "status", "listed_block", "address", "site", "search"),
        Index("sales_by_price", "chain_id", "status", "price_wei", "address", "site", "search"),
        Index("sales_seller", "seller", "listed_block"),
        Index("sales_buyer", "buyer", "listed_block"),
        Index("sales_site", "site", "status"),
        Index("sales_number", "chain_id", "number"),
    )
    chain_id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(42), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    currency: Mapped[str] = mapped_column(String(16))
    factory: Mapped[str] = mapped_column(String(42))
    seller: Mapped[str] = mapped_column(String(42))
    buyer: Mapped[str | None] = mapped_column(String(42))
    status: Mapped[int]
    attempt: Mapped[int]
    device: Mapped[int]
    refundable_at: Mapped[int]
    price_wei: Mapped[int] = mapped_column(Wei)
    undelivered_wei: Mapped[int] = mapped_column(Wei)
    window_s: Mapped[int]
    site: Mapped[int]
    edition: Mapped[int]
    year: Mapped[int]
    make: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(64))
    search: Mapped[str] = mapped_column(String(256))
    listed_block: Mapped[int]
    listed_at: Mapped[int]
    sold_at: Mapped[int | None]
    updated_at: Mapped[int]

    @property
    def particulars(self) -> str:
        """What pages say of the goods beside make and model."""
        return f"{self.year} · No. {self.number}" if self.number else str(self.year)


class OperatorRow(Base):
    """A warehouse operator that the consortium listed."""

    __tablename__ = "operators"
    chain_id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(42), primary_key=True)
    name: Mapped[str] = mapped_column(String(256))
    listed: Mapped[bool]


class SiteRow(Base):
    """Where goods are collected."""

    __tablename__ = "sites"
    chain_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True)
    operator: Mapped[str] = mapped_column(String(42))
    name: Mapped[str] = mapped_column(String(256))
    open: Mapped[bool]


class DeviceRow(Base):
    """A device that may release at a site."""

    __tablename__ = "devices"
    chain_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[int]
    address: Mapped[str] = mapped_column(String(42))
    until: Mapped[int]
    certificate: Mapped[str] = mapped_column(String(66))
    active: Mapped[bool]


INDEX = (Event, SaleRow, OperatorRow, SiteRow, DeviceRow, Block)

# --- this application's own ---------------------------------------------------------------------


class User(Base):
    """A person: a built-in account with a keystore, or a browser wallet without one."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    address: Mapped[str] = mapped_column(String(42), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    verified: Mapped[bool] = mapped_column(default=False)
    keystore: Mapped[dict[str, Any] | None]
    key_exported: Mapped[bool] = mapped_column(default=False)
    session_epoch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[int] = mapped_column(default=now)


class Transaction(Base):
    """The outbox: what people signed, kept before it is sent and until it is settled."""

    __tablename__ = "transactions"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key", "part"),
        Index("transactions_open", "state"),
        Index("transactions_sender", "chain_id", "sender", "nonce"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    idempotency_key: Mapped[str] = mapped_column(String(64))
    part: Mapped[int] = mapped_column(default=0)
    chain_id: Mapped[int]
    sender: Mapped[str] = mapped_column(String(42))
    nonce: Mapped[int]
    hash: Mapped[str] = mapped_column(String(66), unique=True)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    purpose: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(66))
    """What it is about: a sale's address, a site's name."""
    details: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16))
    error: Mapped[str | None] = mapped_column(Text)
    block: Mapped[int | None]
    block_hash: Mapped[str | None] = mapped_column(String(66))
    parent_hash: Mapped[str | None] = mapped_column(String(66))
    confirmations: Mapped[int] = mapped_column(default=0)
    fee_wei: Mapped[int | None] = mapped_column(Wei)
    sent_at: Mapped[int | None]
    created_at: Mapped[int] = mapped_column(default=now)


class VoucherRow(Base):
    """A signed voucher, encrypted; deleted once it is consumed."""

    __tablename__ = "vouchers"
    chain_id: Mapped[int] = mapped_column(primary_key=True)
    sale: Mapped[str] = mapped_column(String(42), primary_key=True)
    buyer: Mapped[str] = mapped_column(String(42), primary_key=True)
    attempt: Mapped[int]
    expires_at: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class ThingRow(Base):
    """Which thing in the IoT cloud is which device on chain, and how far its provisioning went."""

    __tablename__ = "things"
    thing: Mapped[str] = mapped_column(String(128), primary_key=True)
    chain_id: Mapped[int]
    device_id: Mapped[int | None]
    site: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    steps: Mapped[dict[str, Any]]
    updated_at: Mapped[int] = mapped_column(default=now)


class Attempt(Base):
    """A failed sign-in, for the rate limit."""

    __tablename__ = "attempts"
    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(128), index=True)
    at: Mapped[int]


class AuditRow(Base):
    """Who did or read what that is not on the chain."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[int] = mapped_column(default=now)
    user_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(128))
    detail: Mapped[str] = mapped_column(String(256))
