"""What needs a person: cases, alarms, and what waits; and taking notice of an alarm."""

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from contracts.sale import Status
from webapp import alarms
from webapp.access import audit, only, the_user
from webapp.alarm_rules import DO, TITLES
from webapp.device_log import CASE, LATE, open_cases
from webapp.device_models import AlarmRow, DeviceEvent
from webapp.errors import Refused
from webapp.forms.fields import OnceForm
from webapp.forms.listing import clean
from webapp.models import SaleRow, SiteRow, ThingRow, User, now
from webapp.people import Role
from webapp.premises import LOOKERS, sites_of, things_at
from webapp.services import services

bp = Blueprint("tasks", __name__, url_prefix="/warehouse")
NEVER_CAME_S = 14 * 86_400
"""A buyer who did not come for so long is on the list."""


@dataclass(frozen=True)
class Tasks:
    """Everything that waits for a person, the most urgent first."""

    cases: list[DeviceEvent]
    alarms: list[AlarmRow]
    unfinished: list[ThingRow]
    overdue: list[SaleRow]

    @property
    def count(self) -> int:
        """How many things wait."""
        noticed = sum(1 for alarm in self.alarms if alarm.acknowledged_at)
        return len(self.cases) + len(self.alarms) - noticed + len(self.unfinished) + len(self.overdue)


def tasks_of(user: User) -> Tasks:
    """Return what waits for this person."""
    shop, sites = services(), sites_of(user)
    things = things_at(sites)
    return Tasks(
        cases=open_cases(shop.database, [row.thing for row in things], CASE, LATE),
        alarms=alarms.standing(shop.database, shop.chain.chain_id, whose(user, sites)),
        unfinished=[row for row in things if row.state in ("begun", "rotating")],
        overdue=_overdue([site.id for site in sites]),
    )


def whose(user: User, sites: list[SiteRow]) -> list[int] | None:
    """Return the sites whose alarms concern this person; `None`: all."""
    return [site.id for site in sites] if user.role == Role.OPERATOR else None


def _overdue(sites: list[int]) -> list[SaleRow]:
    query = (
        select(SaleRow)
        .where(SaleRow.chain_id == services().chain.chain_id, SaleRow.site.in_(sites))
        .where(SaleRow.status == int(Status.SOLD), SaleRow.sold_at < now() - NEVER_CAME_S)
    )
    with services().database.read() as db:
        return list(db.scalars(query.order_by(SaleRow.sold_at).limit(50)))


@bp.get("/tasks")
@only(*LOOKERS)
def tasks() -> str:
    """Show what needs a person."""
    found = tasks_of(the_user())
    if found.overdue:
        audit("read-pickups", "overdue", f"{len(found.overdue)} orders that nobody collected")
    return render_template("warehouse/tasks.html", tasks=found, titles=TITLES, do=DO, form=OnceForm(formdata=None))


@bp.get("/alarms")
@only(*LOOKERS)
def history() -> str:
    """Show the alarms that stand and those that were."""
    user, shop = the_user(), services()
    sites = whose(user, sites_of(user))
    before = request.args.get("before", "")
    place = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else 0
    rows = alarms.ended(shop.database, shop.chain.chain_id, sites, place)
    return render_template(
        "warehouse/alarms.html",
        standing=alarms.standing(shop.database, shop.chain.chain_id, sites),
        ended=rows[:50],
        older=rows[49].id if len(rows) > 50 else 0,
        titles=TITLES,
        do=DO,
        form=OnceForm(formdata=None),
        people=_people(),
    )


def _people() -> dict[int, str]:
    with services().database.read() as db:
        return {number: name for number, name in db.execute(select(User.id, User.name).where(User.role != Role.BUYER))}  # noqa: C416


@bp.post("/alarms/<int:alarm>")
@only(Role.OPERATOR, Role.ADMIN)
def acknowledge(alarm: int) -> Response:
    """Take notice of an alarm."""
    user, shop = the_user(), services()
    note = clean(request.form.get("note")).replace("\0", "")[:256]
    number = alarm if alarm < 2**63 else 0
    try:
        row = alarms.acknowledge(shop.database, number, user, note, whose(user, sites_of(user)))
    except Refused as error:
        flash(str(error), "error")
    else:
        audit("alarm-noticed", row.subject, f"{row.kind}: {note}")
        flash(f"Noted: you took notice of “{row.words}”", "done")
    return redirect(url_for("tasks.tasks"), 303)
