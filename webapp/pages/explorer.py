"""The explorer: block, transaction, address, decoded with the project's ABI; buyers stay unnamed to strangers."""

from apiflask import APIBlueprint
from flask import abort, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from webapp.access import current_user, is_staff, local_path, sees_buyer
from webapp.explorer import looked_for, transaction_facts
from webapp.models import Event, SaleRow
from webapp.services import services

bp = APIBlueprint("explorer", __name__, url_prefix="/explorer", enable_openapi=False)


@bp.before_request
def _open() -> Response | None:
    if services().settings.public or current_user() is not None:
        return None
    return redirect(url_for("auth.sign_in", next=local_path(request.full_path)))


@bp.get("")
def search() -> Response | str:
    """Show the newest events; a search leads to what it names."""
    text = request.args.get("q", "").strip()[:80]
    if text:
        found = looked_for(text)
        if found:
            return redirect(url_for(f"explorer.{found}", key=text))
    query = select(Event).where(Event.chain_id == services().chain.chain_id)
    with services().database.read() as db:
        rows = list(db.scalars(query.order_by(Event.block.desc(), Event.log_index.desc()).limit(40)))
    return render_template("explorer/search.html", events=rows, text=text)


@bp.get("/block/<key>")
def block(key: str) -> str:
    """Show a block."""
    if looked_for(key) != "block":
        abort(404)
    found = services().chain.node.call("eth_getBlockByNumber", hex(int(key)), False)
    if found is None:
        abort(404)
    return render_template("explorer/block.html", block=found, number=int(key))


@bp.get("/transaction/<key>")
def transaction(key: str) -> str:
    """Show a transaction; who bought stays between those whom it concerns."""
    if looked_for(key) != "transaction":
        abort(404)
    facts = transaction_facts(services(), key.lower())
    if facts is None:
        abort(404)
    return render_template("explorer/transaction.html", facts=facts, open=_may_see(facts.sale))


def _may_see(address: str | None) -> bool:
    if is_staff(current_user()):
        return True
    if address is None:
        return True
    with services().database.read() as db:
        row = db.get(SaleRow, (services().chain.chain_id, address))
    return row is None or sees_buyer(row, current_user())


@bp.get("/address/<key>")
def address(key: str) -> Response | str:
    """Show an address; a sale's has its own page."""
    if looked_for(key) != "address":
        abort(404)
    with services().database.read() as db:
        sale = db.get(SaleRow, (services().chain.chain_id, key))
        bought = db.scalar(select(SaleRow.address).where(SaleRow.buyer == key).limit(1))
    if sale is not None:
        return redirect(url_for("sale.show", chain_id=sale.chain_id, address=key))
    user = current_user()
    hidden = bought is not None and not is_staff(user) and (user is None or user.address != key)
    balance = None if hidden else services().chain.balance(key)
    return render_template("explorer/address.html", address=key, balance=balance)
