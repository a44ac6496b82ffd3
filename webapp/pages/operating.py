"""What an operator does beside watching: open and close sites, admit sellers whose names buyers then see."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import DataRequired, Length, Regexp

from contracts.sale import Status
from webapp.access import audit, only, operates, the_user
from webapp.errors import Refused, WebError
from webapp.forms.fields import ActionForm, OnceForm
from webapp.forms.listing import clean
from webapp.models import SaleRow, Transaction, User
from webapp.outbox import Planned
from webapp.people import Role
from webapp.services import services
from webapp.signing import sign_and_send

bp = Blueprint("operating", __name__, url_prefix="/warehouse")
ADMITTERS = (Role.OPERATOR, Role.ADMIN)


class SiteForm(ActionForm):
    """A new site."""

    name = StringField(
        "Name",
        filters=[clean],
        validators=[
            DataRequired("Name the door or the group of doors."),
            Length(max=64, message="Use 64 characters at most."),
            Regexp(r"^[^\x00-\x1f\x7f]*$", message="Control characters cannot stand."),
        ],
    )


@bp.get("/sites/new")
@only(Role.OPERATOR)
def new_site() -> str:
    """Ask for the site's name."""
    return render_template("warehouse/site.html", form=SiteForm(formdata=None))


@bp.post("/sites/new")
@only(Role.OPERATOR)
def open_site() -> Response | tuple[str, int]:
    """Open a site on chain."""
    form = SiteForm()
    if not form.validate_on_submit():
        return render_template("warehouse/site.html", form=form), 400
    try:
        call = services().chain.registry.open_site(form.name.data or "")
        sent = _send(form, Planned(call, "site", form.name.data or "", {"title": form.name.data}))
    except WebError as error:
        status = 400 if isinstance(error, Refused) else 503
        return render_template("warehouse/site.html", form=form, problem=str(error)), status
    return redirect(url_for("transactions.show", transaction_id=sent.id), 303)


@bp.get("/sites/<int:site>/close")
@only(Role.OPERATOR)
def ask_close(site: int) -> str:
    """Say what closing means before it is signed."""
    return render_template("warehouse/close.html", form=ActionForm(formdata=None), site=_own(site))


@bp.post("/sites/<int:site>/close")
@only(Role.OPERATOR)
def close_site(site: int) -> Response | tuple[str, int]:
    """Close a site: nothing new, running orders end as usual."""
    form = ActionForm()
    if not form.validate_on_submit():
        return render_template("warehouse/close.html", form=form, site=_own(site)), 400
    try:
        call = services().chain.registry.close_site(_own(site))
        sent = _send(form, Planned(call, "close", f"site {site}", {"title": f"site {site}"}))
    except WebError as error:
        status = 400 if isinstance(error, Refused) else 503
        return render_template("warehouse/close.html", form=form, site=site, problem=str(error)), status
    return redirect(url_for("transactions.show", transaction_id=sent.id), 303)


def _own(site: int) -> int:
    return site if operates(the_user(), site, services().chain.chain_id) else abort(404)


def _send(form: ActionForm, plan: Planned) -> Transaction:
    return sign_and_send(the_user(), form.phrase, form.key, [plan])[0]


@bp.get("/sellers")
@only(*ADMITTERS, Role.AUDITOR)
def sellers() -> str:
    """Show who sells, and who may be admitted."""
    query = select(User).where(User.role.in_((Role.SELLER, Role.BUYER))).order_by(User.role.desc(), User.name)
    with services().database.read() as db:
        people = list(db.scalars(query.limit(500)))
        sellers = [person.address for person in people if person.role == Role.SELLER]
        offered = _offered(db, sellers)
    return render_template("warehouse/sellers.html", people=people, offered=offered, form=OnceForm(formdata=None))


def _offered(db: Session, sellers: list[str]) -> dict[str, int]:
    """Return how many goods each of these people offers: they stay when the admission ends."""
    mine = (SaleRow.chain_id == services().chain.chain_id, SaleRow.status == int(Status.LISTED))
    query = select(SaleRow.seller, func.count()).where(*mine, SaleRow.seller.in_(sellers)).group_by(SaleRow.seller)
    return {seller: count or 0 for seller, count in db.execute(query)}


@bp.post("/sellers/<int:user_id>/<what>")
@only(*ADMITTERS)
def admit(user_id: int, what: str) -> Response:
    """Admit a seller, whose name buyers then see as verified; or end that."""
    if what not in ("admit", "end"):
        abort(404)
    with services().database.write() as db:
        row = db.get(User, user_id) if user_id < 2**63 else None
        if row is None or row.role not in (Role.SELLER, Role.BUYER):
            abort(404)
        row.role, row.verified = (Role.SELLER, True) if what == "admit" else (Role.BUYER, False)
        name = row.name
    audit(f"seller-{what}", name)
    flash(f"{name} {'may sell now, and is shown as verified' if what == 'admit' else 'sells no longer'}.", "done")
    return redirect(url_for("operating.sellers"), 303)
