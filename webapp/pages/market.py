"""The market: what is for sale, searched, filtered, sorted, by pages. Open to everyone."""

from flask import Blueprint, render_template, request

from webapp.catalogue import SORTS, Search, find_sales, sites_and_operators, takes_goods
from webapp.furniture import remember_names
from webapp.services import services

bp = Blueprint("market", __name__)


@bp.get("/")
def market() -> str:
    """Show open listings."""
    search = Search.of(request.args)
    page = find_sales(services().database, services().chain.chain_id, search)
    remember_names([row.seller for row in page.rows])
    template = "market/results.html" if request.headers.get("HX-Request") else "market/market.html"
    all_sites = sites_and_operators(services().database, services().chain.chain_id)
    sites, choices = {site.id: site for site, _ in all_sites}, [pair for pair in all_sites if takes_goods(*pair)]
    return render_template(template, page=page, search=search, sites=sites, sorts=SORTS, choices=choices)
