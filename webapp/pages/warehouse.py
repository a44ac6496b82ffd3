"""The warehouse: sites, devices, gates live, and a place to drop a barcode's picture. Operators and auditors."""

import time
from collections.abc import Iterator

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from contracts.sale import Status
from webapp.access import audit, only, the_user
from webapp.device_log import LogSearch, find_events
from webapp.device_models import DeviceEvent
from webapp.errors import Refused, WebError
from webapp.furniture import sites_by_id
from webapp.inbox import drop
from webapp.live import stream
from webapp.models import DeviceRow, SaleRow, now
from webapp.people import Role
from webapp.premises import LOOKERS, my_thing, sites_of, things_at
from webapp.services import services

bp = Blueprint("warehouse", __name__, url_prefix="/warehouse")
LOG = 25


@bp.get("")
@only(*LOOKERS)
def overview() -> str:
    """Show sites, gates and what waits to be collected."""
    sites = sites_of(the_user())
    things = things_at(sites)
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
        gates=services().gates.look_at([row.thing for row in things]),
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
    row = my_thing(thing)
    return render_template(
        "warehouse/gate.html",
        thing=row,
        gate=services().gates.look(thing),
        log=_log(thing),
        inbox=thing in services().settings.pi_inboxes,
    )


@bp.get("/<thing>/live")
@only(*LOOKERS)
def live(thing: str) -> Response:
    """Push the gate's picture and log whenever they change."""
    my_thing(thing)

    def pieces() -> Iterator[str]:
        before = None
        while True:
            gate, log = services().gates.look(thing), _log(thing)
            known = (gate, log[0].id if log else 0)
            if known != before:
                yield render_template("warehouse/live.html", gate=gate, log=log)
                before = known
            time.sleep(services().settings.poll_s)

    return stream(pieces())


def _log(thing: str) -> list[DeviceEvent]:
    return find_events(services().database, [thing], LogSearch(), LOG).rows


@bp.post("/<thing>/inbox")
@only(Role.OPERATOR, Role.ADMIN)
def inbox(thing: str) -> BaseResponse:
    """Hand a picture to the Pi's scanner; it is written down as remote."""
    my_thing(thing)
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
