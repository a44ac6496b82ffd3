"""The warehouse for programs: devices, gates and releases of the sites that one looks after."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf
from sqlalchemy import select

from webapp.api.operation import ShortQuery, caller, nothing, operation
from webapp.api.problems import Problem
from webapp.cursors import read_cursor, write_cursor
from webapp.device_log import KINDS, LogSearch, find_events
from webapp.looking import viewer
from webapp.models import DeviceRow
from webapp.people import STAFF
from webapp.premises import my_things, sites_of
from webapp.services import services
from webapp.tokens import Scope


class DeviceOut(Schema):
    """A device that may release at a site."""

    chain_id = Integer(required=True)
    id = Integer(required=True)
    site = Integer(required=True)
    address = String(required=True)
    until = Integer(required=True)
    certificate = String(required=True)
    active = Boolean(required=True)


class DevicesOut(Schema):
    """The devices of your sites."""

    devices = List(Nested(DeviceOut), required=True)


class GateOut(Schema):
    """A gate as its device last told it; `state` is null while it is unknown, and `trouble` says why."""

    thing = String(required=True)
    site = Integer(required=True)
    device_id = Integer(required=True, allow_none=True)
    state = String(required=True, allow_none=True)
    since = Float(required=True, allow_none=True)
    online = Boolean(required=True, allow_none=True)
    trouble = String(required=True)


class OneGateOut(GateOut):
    """A gate by itself."""


class GatesOut(Schema):
    """The gates of your sites."""

    gates = List(Nested(GateOut), required=True)


class ReleaseOut(Schema):
    """Something that a device told: a scan, a release, a change of its gate."""

    id = Integer(required=True)
    thing = String(required=True)
    kind = String(required=True)
    at = Float(required=True)
    received_at = Float(required=True)
    sale = String(required=True, allow_none=True)
    attempt = Integer(required=True, allow_none=True)
    outcome = String(required=True)
    reason = String(required=True)
    body = Dict(required=True)


class ReleasesOut(Schema):
    """Some of the devices' log, newest first; `next` is the cursor of the next page."""

    releases = List(Nested(ReleaseOut), required=True)
    next = String(required=True, allow_none=True)


class ReleasesQuery(ShortQuery):
    """Which part of the log; what is not given does not narrow."""

    thing = String(load_default="", validate=Length(max=128))
    kind = String(load_default="", validate=OneOf(["", *KINDS]))
    sale = String(load_default="", validate=Length(max=42))
    outcome = String(load_default="", validate=Length(max=64))


def _check() -> None:
    if caller().role not in STAFF:
        raise Problem(403, "not-allowed", "This is for operators and auditors.")


@operation("/devices", "Devices", output=DevicesOut, scope=Scope.WAREHOUSE)
def devices() -> dict[str, Any]:
    """List the devices of your sites as the chain has them."""
    _check()
    ids = [site.id for site in sites_of(caller())]
    query = select(DeviceRow).where(DeviceRow.chain_id == services().chain.chain_id, DeviceRow.site.in_(ids))
    with services().database.read() as db:
        return {"devices": list(db.scalars(query.order_by(DeviceRow.id)))}


@operation("/gates", "Gates", output=GatesOut, scope=Scope.WAREHOUSE)
def gates() -> dict[str, Any]:
    """List the gates of your sites, as they are now."""
    _check()
    return {"gates": _gates()}


@operation("/gates/<thing>", "One gate", output=OneGateOut, scope=Scope.WAREHOUSE)
def gate(thing: str) -> Any:
    """Tell one gate of your sites."""
    _check()
    found = [one for one in _gates() if one["thing"] == thing]
    if not found:
        raise nothing("gate")
    return found[0]


@operation("/releases", "The devices' log", output=ReleasesOut, query=ReleasesQuery, scope=Scope.WAREHOUSE)
def releases(query: dict[str, Any]) -> dict[str, Any]:
    """List what the devices of your sites told, newest first: scans, releases, refusals, changes of gates."""
    _check()
    cursor = read_cursor(query["cursor"], 1)
    texts = {name: query[name].replace("\0", "") for name in ("thing", "kind", "sale", "outcome")}
    search = LogSearch(**texts, before=cursor[0] if cursor else 0)
    page = find_events(services().database, [row.thing for row in my_things()], search, query["limit"])
    return {"releases": page.rows, "next": write_cursor(page.older) if page.older else None}


def _gates() -> list[dict[str, Any]]:
    things = my_things()
    known = services().gates.look_at([row.thing for row in things])
    rows = ((row, known[row.thing]) for row in things)
    return [
        {**vars(gate), "site": row.site, "device_id": row.device_id}
        for row, gate in rows
        if viewer().sees_site(row.site)
    ]
