"""What happens, pushed: orders, blocks, gates, with `Last-Event-ID`; none is lost or told twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, String
from apiflask.validators import Regexp
from flask import Response, request

from webapp import feed
from webapp.access import current_user, private_read
from webapp.api.operation import operation
from webapp.api.problems import Problem
from webapp.hub import PATIENCE_S, Hub
from webapp.live import QUIET_S, as_event, hub, is_gone, messages, pushed_messages
from webapp.looking import viewer
from webapp.services import services
from webapp.telling import GATE, SALE, Message, Place, newest, reachable
from webapp.viewers import Viewer

KINDS = {"orders": SALE, "blocks": feed.BLOCK, "gates": GATE, "registry": feed.REGISTRY}


class EventsQuery(Schema):
    """What to hear: some of orders, blocks, gates, registry, with commas between; all when none is named."""

    kinds = String(load_default="", validate=Regexp(r"^((orders|blocks|gates|registry)(,|$))*$"))
    mine = Boolean(load_default=False)
    after = String(load_default="", validate=Regexp(r"^([0-9]{1,15}-[0-9]{1,15})?$"))


@dataclass(frozen=True)
class Wanted:
    """What somebody listens for, and over which connection."""

    kinds: set[str]
    viewer: Viewer
    mine: bool
    socket: object

    def said(self, message: Message) -> str | None:
        """Return what this message says to them; `None`: nothing."""
        wanted = message.kind in self.kinds and (not self.mine or message.concerns(self.viewer))
        return message.for_viewer(self.viewer) if wanted or message.kind == feed.UNDONE else None


STREAM = {200: {"description": "A stream of events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}}


@operation("/events", "Events as they come", query=EventsQuery, responses=STREAM)
def events(query: dict[str, Any]) -> Response:
    """Push what happens after `Last-Event-ID` (or `after`); without it, from now on.

    `start` and `reset` tell where the stream begins; after `reset` something may be missing: read what you need anew.
    `sale`, `registry`, `block` and `gate` tell what happened; `undone` takes back what lay above a block.
    `mine` leaves only your own sales.
    """
    shop, chain_id = services(), services().chain.chain_id
    asked = Place.read(request.headers.get("Last-Event-ID", "") or query["after"])
    with shop.database.read() as session:
        now = newest(session, chain_id)
        good = asked is not None and reachable(session, chain_id, asked)
    if query["mine"] and current_user() is None:
        raise Problem(401, "token-needed", "Come with a token to hear of your own sales.")
    place = asked if good and asked else now
    first = "" if good else as_event("{}", "reset" if asked else "start", str(place))
    kinds = {KINDS[name] for name in query["kinds"].split(",") if name} or set(KINDS.values())
    looks = viewer()
    if looks.sees_all or looks.sites:
        private_read("events as they come")
    asked_for = Wanted(kinds, looks, query["mine"], request.environ.get("gunicorn.socket"))
    return pushed_messages(_lines(hub(), place, first, asked_for))


def _lines(shared: Hub, place: Place, first: str, asked: Wanted) -> Iterator[str]:
    if first:
        yield first
    quiet_s = 0.0
    for reached, message in messages(shared, place):
        quiet_s = quiet_s + PATIENCE_S if message is None else 0.0
        if message is None and is_gone(asked.socket):
            return
        if quiet_s >= QUIET_S:
            quiet_s = 0.0
            yield f": still here\nid: {reached}\n\n"
        said = asked.said(message) if message is not None else None
        if message is not None and said is not None:
            yield as_event(said, message.kind, str(reached))
