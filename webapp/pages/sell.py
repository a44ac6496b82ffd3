"""Selling: the form, and the seller's own sales."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]

from webapp.access import only, the_user
from webapp.catalogue import open_sites, own_pages, sales_of
from webapp.earnings import earnings_of, income_over_time
from webapp.errors import Refused, WebError
from webapp.forms.listing import ListingForm
from webapp.furniture import sites_by_id
from webapp.people import Role
from webapp.selling import planned_listing
from webapp.services import services
from webapp.signing import sign_and_send

bp = Blueprint("sell", __name__, url_prefix="/sell")
SELLERS = (Role.SELLER, Role.OPERATOR, Role.ADMIN)


@bp.get("")
@only(*SELLERS, Role.BUYER, Role.AUDITOR)
def own() -> str:
    """Show the seller's own sales; tell others how to become one."""
    user = the_user()
    if user.role not in SELLERS:
        return render_template("sell/ask.html")
    database, chain_id = services().database, services().chain.chain_id
    sums = earnings_of(database, chain_id, user.address)
    page, last = own_pages(request.args.get("page"), sums.count)
    rows = sales_of(database, chain_id, seller=user.address, page=page)
    return render_template(
        "sell/own.html",
        rows=rows,
        sites=sites_by_id(rows),
        sums=sums,
        page=page,
        last=last,
        series=income_over_time(database, chain_id, user.address),
    )


def listing_form() -> ListingForm:
    """Return the form with the sites that take goods."""
    form = ListingForm()
    choices = open_sites(services().database, services().chain.chain_id)
    form.site.choices = [
        SelectChoice(str(site.id), f"{site.name} ({operator.name if operator else 'unknown operator'})")
        for site, operator in choices
    ]
    return form


@bp.get("/new")
@only(*SELLERS)
def new() -> str:
    """Show the empty form."""
    return render_template("sell/new.html", form=listing_form())


@bp.post("/new")
@only(*SELLERS)
def create() -> Response | tuple[str, int]:
    """Check every field, sign, send; then show the transaction."""
    form, user = listing_form(), the_user()
    if not form.validate_on_submit():
        return render_template("sell/new.html", form=form), 400
    known = services().outbox.find(user.id, form.key)
    if known:
        return redirect(url_for("transactions.show", transaction_id=known[0].id), 303)
    try:
        plan = planned_listing(services(), user, form)
        sent = sign_and_send(user, form.phrase, form.key, [plan])[0]
    except WebError as error:
        status = 400 if isinstance(error, Refused) else 503
        return render_template("sell/new.html", form=form, problem=str(error)), status
    return redirect(url_for("transactions.show", transaction_id=sent.id), 303)
