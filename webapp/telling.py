"""What is told to listeners: rows of the feed and of the devices' log as messages, read once for everybody."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp import feed
from webapp.device_models import DeviceEvent
from webapp.ledger_models import FeedRow
from webapp.models import SaleRow, ThingRow
from webapp.viewers import Parties, Viewer, parties_of

SECRET = ("buyer", "to")
"""What an event says about who bought."""
GATE, SALE = "gate", "sale"
AT_ONCE = 500


@dataclass(frozen=True)
class Place:
    """How far a listener is: the newest row of the feed and of the devices' log. As text it is an event's id."""

    feed: int
    devices: int

    def __str__(self) -> str:
        """Return the event's id."""
        return f"{self.feed}-{self.devices}"

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """Return the place that an event's id names."""
        first, _, second = text.partition("-")
        numbers = all(part.isascii() and part.isdigit() and len(part) < 16 for part in (first, second))
        return cls(int(first), int(second)) if numbers else None

    def after(self, message: "Message") -> "Place":
        """Return the place once this message was told."""
        if message.of_device:
            return Place(self.feed, message.id)
        return Place(message.id, self.devices)

    def before(self, message: "Message") -> bool:
        """Whether this message is still to be told."""
        return message.id > (self.devices if message.of_device else self.feed)


@dataclass(frozen=True)
class Message:
    """One thing to tell, encoded once for all who may see it."""

    id: int
    of_device: bool
    kind: str
    data: dict[str, Any]
    parties: Parties | None = None
    site: int | None = None

    @cached_property
    def whole(self) -> str:
        """All of it."""
        return json.dumps(self.data)

    @cached_property
    def without_buyer(self) -> str:
        """For whom the buyer has no name."""
        args = {key: value for key, value in self.data.get("args", {}).items() if key not in SECRET}
        return json.dumps({**self.data, "args": args})

    def for_viewer(self, viewer: Viewer) -> str | None:
        """Return what this person may know of it; `None`: nothing."""
        if self.of_device:
            return self.whole if viewer.sees_site(self.site) else None
        if self.kind != SALE or viewer.sees_buyer(self.parties):
            return self.whole
        return self.without_buyer

    def concerns(self, viewer: Viewer) -> bool:
        """Whether it is about this person's own sales."""
        parties = self.parties
        return parties is not None and viewer.address in (parties.seller, parties.buyer)


def newest(session: Session, chain_id: int) -> Place:
    """Return the place of who has heard everything."""
    told = session.scalar(select(func.max(FeedRow.id)).where(FeedRow.chain_id == chain_id))
    return Place(told or 0, session.scalar(select(func.max(DeviceEvent.id))) or 0)


def reachable(session: Session, chain_id: int, place: Place) -> bool:
    """Whether everything after this place is still kept."""
    now = newest(session, chain_id)
    oldest = session.scalar(select(func.min(FeedRow.id)).where(FeedRow.chain_id == chain_id)) or 0
    return oldest - 1 <= place.feed <= now.feed and place.devices <= now.devices


def messages_after(session: Session, chain_id: int, place: Place) -> list[Message]:
    """Return what comes next, not more than some hundreds of each kind."""
    rows = select(FeedRow).where(FeedRow.chain_id == chain_id, FeedRow.id > place.feed)
    told = list(session.scalars(rows.order_by(FeedRow.id).limit(AT_ONCE)))
    of_devices = select(DeviceEvent).where(DeviceEvent.id > place.devices)
    seen = list(session.scalars(of_devices.order_by(DeviceEvent.id).limit(AT_ONCE)))
    parties = _parties(session, chain_id, {row.sale for row in told if row.sale})
    sites = _sites(session, {row.thing for row in seen})
    kinds = {feed.ORDER: SALE}
    messages = [
        Message(row.id, False, kinds.get(row.kind, row.kind), row.data, parties.get(row.sale or "")) for row in told
    ]
    return messages + [Message(row.id, True, GATE, _of_device(row), site=sites.get(row.thing)) for row in seen]


def _parties(session: Session, chain_id: int, sales: Iterable[str]) -> dict[str, Parties]:
    query = select(SaleRow).where(SaleRow.chain_id == chain_id, SaleRow.address.in_(sales)) if sales else None
    return {} if query is None else {row.address: parties_of(row) for row in session.scalars(query)}


def _sites(session: Session, things: set[str]) -> dict[str, int]:
    if not things:
        return {}
    query = select(ThingRow.thing, ThingRow.site).where(ThingRow.thing.in_(things))
    return {row.thing: row.site for row in session.execute(query)}


def _of_device(row: DeviceEvent) -> dict[str, Any]:
    names = ("chain_id", "thing", "kind", "at", "received_at", "sale", "attempt", "outcome", "reason")
    return {name: getattr(row, name) for name in names}
