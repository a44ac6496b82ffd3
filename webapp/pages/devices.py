"""A device's whole life: provisioned from its enrolment file, its bundle taken once, rotated, decommissioned."""

import json
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse
from wtforms import FileField

from webapp.access import audit, only, operates, the_user
from webapp.errors import InvalidInput, Refused, WebError
from webapp.forms.fields import ActionForm
from webapp.models import DeviceRow, Event, ThingRow, now
from webapp.page_provisioning import PageProvisioning, enrolment_of, journal_of, transactions_of
from webapp.people import Role
from webapp.premises import LOOKERS, my_thing, sites_of, things_at
from webapp.provisioning import Enrolment, parse_enrolment
from webapp.services import services
from webapp.signing import unlock

bp = Blueprint("devices", __name__, url_prefix="/warehouse/devices")
MAX_ENROLMENT = 65_536
BEGUN = ("begun", "rotating")


class EnrolForm(ActionForm):
    """An enrolment file."""

    enrolment = FileField("Enrolment file", description="enrolment.json, as lading-pi enrol printed it.")


@bp.get("")
@only(*LOOKERS)
def listed() -> str:
    """Show all devices, with what is known of each."""
    shop, sites = services(), sites_of(the_user())
    things = things_at(sites)
    devices = select(DeviceRow).where(DeviceRow.chain_id == shop.chain.chain_id)
    with shop.database.read() as db:
        on_chain = list(db.scalars(devices.where(DeviceRow.site.in_([site.id for site in sites]))))
    ours = {row.device_id for row in things}
    return render_template(
        "devices/list.html",
        things=things,
        gates=shop.gates.look_at([row.thing for row in things]),
        sites={site.id: site for site in sites},
        on_chain={row.id: row for row in on_chain},
        strangers=[row for row in on_chain if row.id not in ours],
        now=now(),
    )


@bp.get("/new")
@only(Role.OPERATOR)
def new() -> str:
    """Ask for the enrolment file."""
    return render_template("devices/new.html", form=EnrolForm(formdata=None))


@bp.post("/new")
@only(Role.OPERATOR)
def provision() -> BaseResponse | tuple[str, int]:
    """Take a new device in."""
    form = EnrolForm()
    if not form.validate_on_submit():
        return render_template("devices/new.html", form=form), 400
    try:
        enrolment = _uploaded()
        if enrolment.id:
            raise Refused("This file renews a device: upload it on that device's page.")
        _carry_on(enrolment, form)
    except WebError as error:
        return render_template("devices/new.html", form=form, problem=str(error)), _status(error)
    return redirect(url_for("devices.show", thing=enrolment.thing), 303)


@bp.get("/<thing>")
@only(*LOOKERS)
def show(thing: str) -> str:
    """Show a device's life."""
    return _page(my_thing(thing))


def _page(row: ThingRow, problem: str = "", asked: str = "", form: ActionForm | None = None) -> str:
    row = _noted(row)
    shop = services()
    forms = {name: EnrolForm(formdata=None) for name in ("resume", "rotate", "revoke", "offer", "bundle")}
    if form is not None:
        forms[asked] = form
    with shop.database.read() as db:
        device = db.get(DeviceRow, (row.chain_id, row.device_id or 0))
    return render_template(
        "devices/device.html",
        thing=row,
        device=device,
        gate=shop.gates.look(row.thing),
        journal=journal_of(row),
        transactions=transactions_of(shop, row.thing),
        life=_life(row),
        forms=forms,
        problem=problem,
        asked=asked,
        begun=row.state in BEGUN,
        now=now(),
    )


def _noted(row: ThingRow) -> ThingRow:
    """Take note of what the chain has carried out meanwhile; nothing is signed for it."""
    steps = row.steps
    waits = row.state in BEGUN and "gateway" in steps and "enrolment" in steps
    if not waits or the_user().role != Role.OPERATOR:
        return row
    try:
        PageProvisioning(services(), _operator_of(row)).advance(enrolment_of(row))
    except WebError:
        return row  # the page shows how far it went
    return my_thing(row.thing)


def _operator_of(row: ThingRow) -> Any:
    """Return the account of the operator whose device this is."""
    from webapp.models import User

    with services().database.read() as db:
        query = select(User).where(User.address == row.steps["enrolment"]["operator"])
        return db.scalar(query) or the_user()


@bp.post("/<thing>/<act>")
@only(Role.OPERATOR)
def change(thing: str, act: str) -> BaseResponse | tuple[str, int]:
    """Go on with a provisioning, renew a device, or end it."""
    row, form = my_thing(thing), EnrolForm()
    if act not in ("resume", "rotate", "revoke"):
        abort(404)
    if not form.validate_on_submit():
        return _page(row, asked=act, form=form), 400
    try:
        _ACTS[act](row, form)
    except WebError as error:
        return _page(row, str(error), act, form), _status(error)
    return redirect(url_for("devices.show", thing=thing), 303)


def _resume(row: ThingRow, form: EnrolForm) -> None:
    _carry_on(enrolment_of(row), form)


def _rotate(row: ThingRow, form: EnrolForm) -> None:
    enrolment = _uploaded()
    if enrolment.thing != row.thing or not enrolment.id:
        how = f"enrol it with `lading-pi enrol --device-id {row.device_id} …`"
        raise Refused(f"This file does not renew {row.thing}: {how}.")
    _carry_on(enrolment, form)


def _revoke(row: ThingRow, form: EnrolForm) -> None:
    key = unlock(the_user(), form.phrase)
    audit("device-revoke", row.thing)
    PageProvisioning(services(), the_user(), key).revoke(row.thing)
    flash(f"{row.thing} is refused by cloud and gateway from now on; the chain follows.", "done")


_ACTS = {"resume": _resume, "rotate": _rotate, "revoke": _revoke}


@bp.post("/<thing>/bundle")
@only(Role.OPERATOR)
def bundle(thing: str) -> BaseResponse:
    """Hand out the bundle for the device, once."""
    row = my_thing(thing)
    if row.state != "provisioned" or not _take(row):
        flash("The bundle was taken already, or is not ready. Offer it again if it got lost.", "error")
        return redirect(url_for("devices.show", thing=thing), 303)
    audit("device-bundle", thing)
    said = PageProvisioning(services(), _operator_of(row)).bundle(row)
    answer = Response(json.dumps(said, indent=1), mimetype="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="bundle.json"'
    return answer


@bp.post("/<thing>/offer")
@only(Role.OPERATOR)
def offer(thing: str) -> BaseResponse:
    """Offer a bundle that got lost once more."""
    row = my_thing(thing)
    _mark(row.thing, None)
    audit("device-bundle-again", thing)
    flash("The bundle can be taken once more.", "done")
    return redirect(url_for("devices.show", thing=thing), 303)


def _take(row: ThingRow) -> bool:
    """Mark the bundle as taken; False when it was before."""
    return _mark(row.thing, {"by": the_user().name, "at": now()})


def _mark(thing: str, taken: dict[str, Any] | None) -> bool:
    with services().database.write(f"thing:{thing}") as db:
        row = db.get(ThingRow, thing)
        if row is None or (taken is not None and row.steps.get("taken")):
            return False
        row.steps = {**row.steps, "taken": taken}
        return True


def _uploaded() -> Enrolment:
    file = request.files.get("enrolment")
    content = file.read(MAX_ENROLMENT + 1) if file else b""
    if not content:
        raise InvalidInput("enrolment", "Choose the enrolment file first.")
    if len(content) > MAX_ENROLMENT:
        raise InvalidInput("enrolment", "That is no enrolment file: it is too large. Nothing was taken in.")
    return parse_enrolment(content)


def _carry_on(enrolment: Enrolment, form: EnrolForm) -> None:
    """Do what can be done now; the site must be this operator's before anything is asked of cloud or gateway."""
    shop, user = services(), the_user()
    if not operates(user, enrolment.site, shop.chain.chain_id):
        raise Refused(f"Site {enrolment.site} is not yours. Nothing was done.")
    key = unlock(user, form.phrase)
    audit("device-rotate" if enrolment.id else "device-provision", enrolment.thing)
    PageProvisioning(shop, user, key).advance(enrolment)


def _life(row: ThingRow) -> list[Event]:
    """Return what the chain says of this device, oldest first."""
    if row.device_id is None:
        return []
    query = select(Event).where(Event.chain_id == row.chain_id, Event.entity == f"device:{row.device_id}")
    with services().database.read() as db:
        return list(db.scalars(query.order_by(Event.block, Event.log_index)))


def _status(error: WebError) -> int:
    return 400 if isinstance(error, Refused) else 503
