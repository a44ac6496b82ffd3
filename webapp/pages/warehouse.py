"""The warehouse: sites, devices, gates live, and a place to drop a barcode's picture. Operators and auditors."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from contracts.sale import Status
from webapp.access import audit, only, the_user
from webapp.device_log import CASE, LATE, LogSearch, find_events, open_cases
from webapp.device_models import DeviceEvent
from webapp.errors import CloudError, Refused, WebError
from webapp.furniture import sites_by_id
from webapp.gate_commands import newest
from webapp.gates import Gate
from webapp.inbox import drop
from webapp.live import changes, stream
from webapp.models import DeviceRow, SaleRow, now
from webapp.pages.tasks import tasks_of
from webapp.people import Role
from webapp.premises import LOOKERS, my_thing, my_things, sites_of, things_at
from webapp.services import services

bp = Blueprint("warehouse", __name__, url_prefix="/warehouse")
LOG = 25
LOOK_AGAIN_S = 1.0
T = TypeVar("T")


@bp.get("")
@only(*LOOKERS)
def overview() -> str:
    """Show gates, what waits to be collected, and sites."""
    shop, sites = services(), sites_of(the_user())
    things = [row for row in things_at(sites) if row.state != "revoked"]
    ids = [site.id for site in sites]
    waiting = (
        select(SaleRow)
        .where(SaleRow.chain_id == shop.chain.chain_id, SaleRow.site.in_(ids))
        .where(SaleRow.status.in_((int(Status.SOLD), int(Status.RELEASING))))
    )
    devices = select(DeviceRow).where(DeviceRow.chain_id == shop.chain.chain_id, DeviceRow.site.in_(ids))
    with shop.database.read() as db:
        sales = list(db.scalars(waiting.order_by(SaleRow.status.desc(), SaleRow.sold_at.desc()).limit(50)))
        known = list(db.scalars(devices.order_by(DeviceRow.id)))
    if sales:
        audit("read-pickups", f"sites {ids}", f"{len(sales)} open pickups")
    return render_template(
        "warehouse/overview.html",
        sites=sites,
        things=things,
        gates=shop.gates.look_at([row.thing for row in things]),
        devices=known,
        sales=sales,
        sale_sites=sites_by_id(sales),
        inboxes=shop.settings.pi_inboxes,
        waiting=tasks_of(the_user()).count,
        now=now(),
    )


@bp.get("/live")
@only(*LOOKERS)
def all_live() -> Response:
    """Push all gates whenever one of them changes."""
    shop, things = services(), [row for row in my_things() if row.state != "revoked"]
    names, inboxes = [row.thing for row in things], services().settings.pi_inboxes
    return _pushed(
        lambda: shop.gates.look_at(names),
        lambda gates: render_template("warehouse/gates.html", things=things, gates=gates, inboxes=inboxes),
    )


@bp.get("/<thing>")
@only(*LOOKERS)
def gate(thing: str) -> str:
    """Show one gate, live, with its log, its readings, and what can be done with it."""
    row, shop = my_thing(thing), services()
    return render_template(
        "warehouse/gate.html",
        thing=row,
        gate=shop.gates.look(thing),
        log=_log(thing),
        cases=open_cases(shop.database, [thing], CASE, LATE),
        commands=newest(shop.database, thing),
        inbox=thing in shop.settings.pi_inboxes,
        now=now(),
    )


@bp.get("/<thing>/live")
@only(*LOOKERS)
def live(thing: str) -> Response:
    """Push the gate's picture and log whenever they change."""
    my_thing(thing)
    shop = services()

    def look() -> tuple[Gate, int]:
        log = find_events(shop.database, [thing], LogSearch(), 1).rows
        return shop.gates.look(thing), log[0].id if log else 0

    return _pushed(look, lambda seen: render_template("warehouse/live.html", gate=seen[0], log=_log(thing)))


@bp.get("/<thing>/readings")
@only(*LOOKERS)
def readings(thing: str) -> str:
    """Show what the device's sensors measured: a piece of the gate's page."""
    my_thing(thing)
    try:
        return render_template("warehouse/readings.html", series=services().readings.of(thing))
    except CloudError as error:
        return render_template("warehouse/readings.html", problem=str(error))


def _pushed(look: Callable[[], T], draw: Callable[[T], str]) -> Response:
    def pieces() -> Iterator[str]:
        before: T | None = None
        for _ in changes(LOOK_AGAIN_S):  # a gate becomes unknown also when nothing is told any more
            seen = look()
            if seen != before:
                yield draw(seen)
                before = seen

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
