"""The explorer: blocks, transactions, addresses, events, decoded with the project's ABI; buyers stay unnamed."""

from apiflask import APIBlueprint
from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.access import current_user, local_path, signed_in
from webapp.cursors import Slice, read_cursor, write_cursor
from webapp.errors import InvalidInput
from webapp.explorer import consistency as sides
from webapp.explorer.addresses import describe, events_about
from webapp.explorer.blocks import find_block, page_of_blocks
from webapp.explorer.events import page_of_events
from webapp.explorer.lookup import as_address, is_hash, looked_for, sales_numbered
from webapp.explorer.transactions import find_transaction, page_of_address, page_of_transactions
from webapp.looking import eyes, viewer
from webapp.pages.sale import get_sale
from webapp.services import services
from webapp.viewers import parties_of

bp = APIBlueprint("explorer", __name__, url_prefix="/explorer", enable_openapi=False)
PAGE = 25


@bp.before_request
def _open() -> Response | None:
    if services().settings.public or current_user() is not None:
        return None
    return redirect(url_for("auth.sign_in", next=local_path(request.full_path)))


def _page(numbers: int) -> Slice:
    """Return which page was asked for; what is no cursor is the first page."""
    try:
        return Slice(read_cursor(request.args.get("before", ""), numbers), PAGE)
    except InvalidInput:
        return Slice(None, PAGE)


@bp.get("")
def search() -> Response | str:
    """Show what is newest; a search leads to what it names."""
    text = request.args.get("q", "").strip()[:80]
    found = looked_for(services(), text) if text else None
    sales = sales_numbered(services(), text) if text else []
    if found and not sales:
        return redirect(url_for(f"explorer.{found[0]}", key=found[1]))
    return render_template(
        "explorer/search.html",
        text=text,
        found=found,
        sales=sales,
        blocks=page_of_blocks(eyes(), Slice(None, 8))[:8],
        transactions=page_of_transactions(eyes(), Slice(None, 8))[:8],
        events=page_of_events(eyes(), Slice(None, 8))[:8],
    )


@bp.get("/blocks")
def blocks() -> str:
    """List blocks, newest first."""
    found = page_of_blocks(eyes(), _page(1))
    older = write_cursor(found[PAGE - 1].number) if len(found) > PAGE else ""
    return render_template("explorer/blocks.html", blocks=found[:PAGE], older=older)


@bp.get("/transactions")
def transactions() -> str:
    """List transactions, newest first."""
    found = page_of_transactions(eyes(), _page(2))
    older = write_cursor(found[PAGE - 1].block, found[PAGE - 1].position) if len(found) > PAGE else ""
    return render_template("explorer/transactions.html", transactions=found[:PAGE], older=older)


@bp.get("/events")
def events() -> str:
    """List events, newest first."""
    found = page_of_events(eyes(), _page(2))
    older = write_cursor(found[PAGE - 1].block, found[PAGE - 1].log_index) if len(found) > PAGE else ""
    return render_template("explorer/events.html", events=found[:PAGE], older=older)


@bp.get("/block/<key>")
def block(key: str) -> str:
    """Show a block with its transactions."""
    found = find_block(services().database, services().chain.chain_id, key)
    if found is None:
        abort(404)
    rows = page_of_transactions(eyes(), _page(2), found.number)
    older = write_cursor(found.number, rows[PAGE - 1].position) if len(rows) > PAGE else ""
    return render_template("explorer/block.html", block=found, transactions=rows[:PAGE], older=older)


@bp.get("/transaction/<key>")
def transaction(key: str) -> str | tuple[str, int]:
    """Show a transaction; who bought stays between those whom it concerns."""
    if not is_hash(key):
        abort(404)
    found = find_transaction(eyes(), key)
    if found is None:
        return render_template("explorer/waiting.html", hash=key.lower()), 404
    return render_template("explorer/transaction.html", tx=found)


@bp.get("/address/<key>")
def address(key: str) -> str:
    """Show what an address is, and what it did."""
    named = as_address(key) or abort(404)
    shop, mine = services(), eyes()
    view = describe(shop, mine.viewer, named)
    about = events_about(view)
    rows = page_of_address(mine, _page(2), named)
    older = write_cursor(rows[PAGE - 1].block, rows[PAGE - 1].position) if len(rows) > PAGE else ""
    return render_template(
        "explorer/address.html",
        view=view,
        transactions=rows[:PAGE],
        older=older,
        events=page_of_events(mine, Slice(None, PAGE), about)[:PAGE] if about is not None else [],
    )


@bp.get("/address/<key>/balance")
def balance(key: str) -> str:
    """Ask a node for an address's balance: a piece of the page, so that the page itself waits for no node."""
    named = as_address(key) or abort(404)
    view = describe(services(), viewer(), named)
    wei = None if view.buyer_hidden else services().chain.balance(named)
    return render_template("explorer/balance.html", balance=wei)


@bp.get("/consistency/<key>")
@signed_in
def consistency(key: str) -> str:
    """Show a sale as proven and as each node tells it; this asks every node, so for people who are signed in."""
    row = get_sale(services().chain.chain_id, key)
    return render_template(
        "explorer/consistency.html",
        sale=row,
        view=sides.compare(services(), row.address),
        hidden="" if viewer().sees_buyer(parties_of(row)) else sides.BUYER,
    )
