"""Tables of what the watcher knows: devices' events, gates as last seen, alarms, and commands sent to gates."""

from typing import Any

from sqlalchemy import Double, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models import Base, now


class DeviceEvent(Base):
    """One thing that a device published, or one change of its gate; `id` is the order in which they came in here.

    Rows are added by one process at a time, so a reader that has seen an id has seen every smaller one.
    """

    __tablename__ = "device_events"
    __table_args__ = (
        UniqueConstraint("thing", "digest"),
        Index("device_events_thing", "thing", "id"),
        Index("device_events_sale", "sale", "id"),
        Index("device_events_kind", "kind", "outcome", "id"),
        Index("device_events_at", "at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    chain_id: Mapped[int]
    thing: Mapped[str] = mapped_column(String(128))
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of what was said: one message that comes twice is one event."""
    kind: Mapped[str] = mapped_column(String(32))
    """`scan`, `release`, `order`, `alarm`, … as the device calls it; `gate` for a change of the gate itself."""
    at: Mapped[float] = mapped_column(Double)
    """When the device says that it was, Unix seconds."""
    received_at: Mapped[float] = mapped_column(Double)
    sale: Mapped[str | None] = mapped_column(String(42))
    attempt: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(String(64))
    """A scan's refusal or `released`, a release's state, an order's outcome, an alarm's kind, a gate's state."""
    reason: Mapped[str] = mapped_column(Text)
    """For people."""
    body: Mapped[dict[str, Any]]


class DeviceStream(Base):
    """Up to where a thing's events in the cloud were taken in."""

    __tablename__ = "device_streams"
    thing: Mapped[str] = mapped_column(String(128), primary_key=True)
    cloud_id: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))


class GateRow(Base):
    """A gate as the cloud last told it; `state` is `None` while it is unknown."""

    __tablename__ = "gates"
    thing: Mapped[str] = mapped_column(String(128), primary_key=True)
    chain_id: Mapped[int]
    state: Mapped[str | None] = mapped_column(String(16))
    since: Mapped[float] = mapped_column(Double)
    """Since when it is so, or unknown."""
    online: Mapped[bool | None]
    heard_at: Mapped[float | None] = mapped_column(Double)
    """When the device was heard of last."""
    asked: Mapped[dict[str, Any] | None]
    last: Mapped[dict[str, Any] | None]
    version: Mapped[int | None]
    trouble: Mapped[str] = mapped_column(Text)


class Watch(Base):
    """Who watches, and its last sign of life: one process at a time, another one after a few silent seconds."""

    __tablename__ = "watches"
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    beat_at: Mapped[float] = mapped_column(Double)


class AlarmRow(Base):
    """Something that a person should know, from when to when, and who took notice."""

    __tablename__ = "alarms"
    __table_args__ = (Index("alarms_open", "ended_at", "kind", "subject"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    chain_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(128))
    site: Mapped[int | None]
    """The site that it concerns; `None`: everybody."""
    words: Mapped[str] = mapped_column(Text)
    began_at: Mapped[float] = mapped_column(Double)
    ended_at: Mapped[float | None] = mapped_column(Double)
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    acknowledged_at: Mapped[int | None]
    note: Mapped[str | None] = mapped_column(String(256))


class CommandRow(Base):
    """A command to a gate that an operator signed here, as it was sent, and what the gate made of it."""

    __tablename__ = "commands"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    chain_id: Mapped[int]
    thing: Mapped[str] = mapped_column(String(128), index=True)
    device_id: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    signer: Mapped[str] = mapped_column(String(42))
    kind: Mapped[str] = mapped_column(String(16))
    sale: Mapped[str] = mapped_column(String(42))
    attempt: Mapped[int]
    reason: Mapped[str] = mapped_column(String(256))
    before: Mapped[int]
    signature: Mapped[str] = mapped_column(String(132))
    created_at: Mapped[int] = mapped_column(default=now)
    outcome: Mapped[str | None] = mapped_column(Text)
