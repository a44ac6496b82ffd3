"""The warehouse: sites, devices, gates live, and a place to drop a barcode's picture. Operators and auditors."""

import time
from collections.abc import Iterator

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from contracts.sale import Status
from webapp.access import audit, only, the_user
from webapp.errors import Refused, WebError
from webapp.furniture import sites_by_id
from webapp.inbox import drop
from webapp.live import stream
from webapp.models import DeviceRow, SaleRow, SiteRow, ThingRow, now
from webapp.people import Role
from webapp.services import services

bp = Blueprint("warehouse", __name__, url_prefix="/warehouse")
LOOKERS = (Role.OPERATOR, Role.AUDITOR, Role.ADMIN)


def _sites() -> list[SiteRow]:
    """Return the sites that this person may look after: an operator's own, or all."""
    user = the_user()
    query = select(SiteRow).where(SiteRow.chain_id == services().chain.chain_id).order_by(SiteRow.id)
    if user.role == Role.OPERATOR:
        query = query.where(SiteRow.operator == user.address)
    with services().database.read() as db:
        return list(db.scalars(query))


def _things(sites: list[SiteRow]) -> list[ThingRow]:
    query = select(ThingRow).where(
        ThingRow.chain_id == services().chain.chain_id, ThingRow.site.in_([site.id for site in sites])
    )
    with services().database.read() as db:
        return list(db.scalars(query.order_by(ThingRow.thing)))


def _thing(name: str) -> ThingRow:
    """Return a thing of this person's sites, or answer 404."""
    found = [row for row in _things(_sites()) if row.thing == name]
    return found[0] if found else abort(404)


@bp.get("")
@only(*LOOKERS)
def overview() -> str:
    """Show sites, gates and what waits to be collected."""
    sites = _sites()
    things = _things(sites)
    ids = [site.id for site in sites]
    waiting = (
        select(SaleRow)
        .where(SaleRow.chain_id == services().chain.chain_id, SaleRow.site.in_(ids))
        .where(SaleRow.status.in_((int(Status.SOLD), int(Status.RELEASING))))
    )
    devices = select(DeviceRow).where(DeviceRow.chain_id == services().chain.chain_id, DeviceRow.site.in_(ids))
    with services().database.read() as db:
        sales = list(db.scalars(waiting.order_by(SaleRow.status.desc(), SaleRow.sold_at.desc()).limit(50)))
        known = list(db.scalars(devices.order_by(DeviceRow.id)))
    if sales:
        audit("read-pickups", f"sites {ids}", f"{len(sales)} open pickups")
    return render_template(
        "warehouse/overview.html",
        sites=sites,
        things=things,
        gates={row.thing: services().gates.look(row.thing) for row in things},
        devices=known,
        sales=sales,
        sale_sites=sites_by_id(sales),
        inboxes=services().settings.pi_inboxes,
        now=now(),
    )


@bp.get("/<thing>")
@only(*LOOKERS)
def gate(thing: str) -> str:
    """Show one gate, live, with its log and a place for a picture."""
    row = _thing(thing)
    return render_template(
        "warehouse/gate.html",
        thing=row,
        gate=services().gates.look(thing),
        log=services().gates.log(thing),
        inbox=thing in services().settings.pi_inboxes,
    )


@bp.get("/<thing>/live")
@only(*LOOKERS)
def live(thing: str) -> Response:
    """Push the gate's picture and log whenever they change."""
    _thing(thing)

    def pieces() -> Iterator[str]:
        before = None
        while True:
            now_known = (services().gates.look(thing), services().gates.log(thing))
            if now_known != before:
                yield render_template("warehouse/live.html", gate=now_known[0], log=now_known[1])
                before = now_known
            time.sleep(services().settings.poll_s)

    return stream(pieces())


@bp.post("/<thing>/inbox")
@only(Role.OPERATOR, Role.ADMIN)
def inbox(thing: str) -> BaseResponse:
    """Hand a picture to the Pi's scanner; it is written down as remote."""
    _thing(thing)
    folder = services().settings.pi_inboxes.get(thing)
    if folder is None:
        raise Refused("This gate takes no pictures from here: its Pi is on another machine.")
    file = request.files.get("picture")
    try:
        kept = drop(file.read() if file else b"", folder)
    except WebError as error:
        flash(str(error), "error")
        return redirect(url_for("warehouse.gate", thing=thing), 303)
    audit("remote-scan", thing, kept.name)
    flash("The picture is with the scanner. The gate's answer appears below.", "done")
    return redirect(url_for("warehouse.gate", thing=thing), 303)
