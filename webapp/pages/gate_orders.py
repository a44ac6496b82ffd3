"""Opening a gate by hand and settling a case: the operator's signed command, with a reason."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, InputRequired, Length, Regexp

from webapp import gate_commands
from webapp.access import audit, only, the_user
from webapp.device_log import CASE, LATE, LogSearch, find_events, open_cases
from webapp.device_models import DeviceEvent
from webapp.errors import Refused, WebError
from webapp.forms.fields import ActionForm
from webapp.forms.listing import clean
from webapp.gate_commands import Order
from webapp.models import SaleRow, ThingRow
from webapp.people import Role
from webapp.premises import LOOKERS, my_thing
from webapp.services import services
from webapp.signing import unlock

bp = Blueprint("gate_orders", __name__, url_prefix="/warehouse/<thing>")
NEWEST = 8


def _reason_field() -> StringField:
    return StringField(
        "Reason",
        filters=[clean],
        validators=[
            DataRequired("Say why; it is written into the gate's log for good."),
            Length(max=200, message="Use 200 characters at most."),
            Regexp(r"^[^\x00-\x1f\x7f]*$", message="Control characters cannot stand."),
        ],
    )


class OpenForm(ActionForm):
    """Open a gate by hand."""

    reason = _reason_field()


class SettleForm(ActionForm):
    """Say what a gate did."""

    outcome = RadioField(
        "Did the gate open?",
        choices=[
            SelectChoice("opened", "Yes, the goods were handed over"),
            SelectChoice("not-opened", "No, it stayed shut"),
        ],
        validators=[InputRequired("Say which of the two it was.")],
    )
    reason = _reason_field()


@bp.get("/open")
@only(Role.OPERATOR)
def ask_open(thing: str) -> str:
    """Ask why."""
    row = my_thing(thing)
    return render_template("warehouse/open.html", thing=row, form=OpenForm(formdata=None))


@bp.post("/open")
@only(Role.OPERATOR)
def open_by_hand(thing: str) -> Response | tuple[str, int]:
    """Open the gate for no sale, such as for a fire drill."""
    row, form = my_thing(thing), OpenForm()
    if not form.validate_on_submit():
        return render_template("warehouse/open.html", thing=row, form=form), 400
    try:
        _give(row, form, _order(row, "open", form.reason.data or ""))
    except WebError as error:
        return render_template("warehouse/open.html", thing=row, form=form, problem=str(error)), _status(error)
    return redirect(url_for("warehouse.gate", thing=thing), 303)


@bp.get("/cases/<sale>/<int:attempt>")
@only(*LOOKERS)
def case(thing: str, sale: str, attempt: int) -> str:
    """Show what is known of a case."""
    return _case_page(my_thing(thing), _case(thing, sale, attempt), SettleForm(formdata=None))


@bp.post("/cases/<sale>/<int:attempt>")
@only(Role.OPERATOR)
def settle(thing: str, sale: str, attempt: int) -> Response | tuple[str, int]:
    """Settle a case by the operator's word."""
    row, event, form = my_thing(thing), _case(thing, sale, attempt), SettleForm()
    if not form.validate_on_submit():
        return _case_page(row, event, form), 400
    try:
        _give(row, form, _order(row, form.outcome.data, form.reason.data or "", event))
    except WebError as error:
        return _case_page(row, event, form, str(error)), _status(error)
    return redirect(url_for("warehouse.gate", thing=thing), 303)


def _case(thing: str, sale: str, attempt: int) -> DeviceEvent:
    """Return the newest word of a release that needs a person, or answer 404."""
    found = open_cases(services().database, [thing], CASE, LATE)
    return next((one for one in found if _same(one, sale, attempt)), None) or abort(404)


def _same(event: DeviceEvent, sale: str, attempt: int) -> bool:
    return (event.sale or "").lower() == sale.lower() and event.attempt == attempt


def _case_page(row: ThingRow, event: DeviceEvent, form: SettleForm, problem: str = "") -> str:
    shop = services()
    log = find_events(shop.database, [row.thing], LogSearch(sale=event.sale or ""), NEWEST)
    with shop.database.read() as db:
        sale = db.get(SaleRow, (shop.chain.chain_id, event.sale))
    gate = shop.gates.look(row.thing)
    return render_template(
        "warehouse/case.html", thing=row, event=event, form=form, problem=problem, log=log.rows, sale=sale, gate=gate
    )


def _order(row: ThingRow, kind: str, reason: str, event: DeviceEvent | None = None) -> Order:
    if row.device_id is None:
        raise Refused("This device is not on chain yet. Nothing was sent.")
    about: dict[str, Any] = {"sale": event.sale, "attempt": event.attempt} if event else {}
    return Order(row.chain_id, row.thing, row.device_id, kind, reason, **about)


def _give(row: ThingRow, form: ActionForm, order: Order) -> None:
    shop, user = services(), the_user()
    key = unlock(user, form.phrase)
    try:
        if gate_commands.give(shop, user, key, order, form.key):
            audit(f"gate-{order.kind}", row.thing, order.reason)
    except WebError:
        form.renew()
        raise
    words = "The gate has a minute to obey; what it did appears below and in the log."
    flash(f"Your signed command is with the cloud. {words}", "done")


def _status(error: WebError) -> int:
    return 400 if isinstance(error, Refused) else 503
