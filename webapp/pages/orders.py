"""What a person bought, and what is still to be collected."""

from flask import Blueprint, render_template

from webapp.access import signed_in, the_user
from webapp.catalogue import sales_of
from webapp.furniture import sites_by_id
from webapp.services import services

bp = Blueprint("orders", __name__, url_prefix="/orders")


@bp.get("")
@signed_in
def orders() -> str:
    """Show this person's purchases."""
    rows = sales_of(services().database, services().chain.chain_id, buyer=the_user().address)
    return render_template("orders/orders.html", rows=rows, sites=sites_by_id(rows))
