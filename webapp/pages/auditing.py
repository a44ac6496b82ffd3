"""For the auditor: who read whose private data and who did what, and every command to a gate with its proofs."""

from flask import Blueprint, render_template, request
from sqlalchemy import select

from webapp.access import only
from webapp.command_trail import trail_of
from webapp.models import AuditRow, User
from webapp.people import Role
from webapp.premises import my_things
from webapp.services import services

bp = Blueprint("auditing", __name__, url_prefix="/audit")
PAGE = 50
READS = ("read-buyer", "read-pickups")


@bp.get("")
@only(Role.AUDITOR, Role.ADMIN)
def show() -> str:
    """Show who read or did what that is not on the chain, newest first."""
    action, name = request.args.get("action", "")[:32], request.args.get("name", "").strip().replace("\0", "")[:64]
    query = select(AuditRow, User.name).join(User, User.id == AuditRow.user_id, isouter=True)
    if action:
        query = query.where(AuditRow.action == action.replace("\0", ""))
    if name:
        query = query.where(User.name == name)
    before = _place(request.args.get("before", ""))
    if before:
        query = query.where(AuditRow.id < before)
    with services().database.read() as db:
        rows = [(row, who) for row, who in db.execute(query.order_by(AuditRow.id.desc()).limit(PAGE + 1))]
        actions = sorted(db.scalars(select(AuditRow.action).distinct()))
    older = rows[PAGE - 1][0].id if len(rows) > PAGE else 0
    return render_template(
        "audit/log.html", rows=rows[:PAGE], older=older, actions=actions, action=action, name=name, reads=READS
    )


@bp.get("/commands")
@only(Role.AUDITOR, Role.ADMIN)
def commands() -> str:
    """Show every command to a gate, put together from the logs."""
    shop, things = services(), [row.thing for row in my_things()]
    before = _place(request.args.get("before", ""))
    trail = trail_of(shop.database, things, before, PAGE)
    return render_template("audit/commands.html", trail=trail.commands, older=trail.older)


def _place(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
