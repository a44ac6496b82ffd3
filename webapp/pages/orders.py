"""What a person bought, and what is still to be collected."""

from flask import Blueprint, render_template, request

from webapp.access import signed_in, the_user
from webapp.catalogue import bought_by, own_pages, sales_of
from webapp.furniture import sites_by_id
from webapp.services import services

bp = Blueprint("orders", __name__, url_prefix="/orders")


@bp.get("")
@signed_in
def orders() -> str:
    """Show this person's purchases."""
    database, chain_id, buyer = services().database, services().chain.chain_id, the_user().address
    page, last = own_pages(request.args.get("page"), bought_by(database, chain_id, buyer))
    rows = sales_of(database, chain_id, buyer=buyer, page=page)
    return render_template("orders/orders.html", rows=rows, sites=sites_by_id(rows), page=page, last=last)
