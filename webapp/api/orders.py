"""One's own: what one bought, the receipts, and what one sent."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String
from sqlalchemy import select, tuple_

from webapp.api.operation import SalesPageQuery, ShortQuery, caller, nothing, operation
from webapp.api.sales import SalesOut, find_sale, sale_json
from webapp.cursors import read_cursor, write_cursor
from webapp.models import SaleRow, Transaction
from webapp.pages.receipt import good_voucher, kept_for
from webapp.services import services
from webapp.tokens import Scope


class ReceiptOut(Schema):
    """A receipt; whoever has `voucher`, the barcode's text, can collect the goods."""

    chain_id = Integer(required=True)
    sale = String(required=True)
    attempt = Integer(required=True)
    expires_at = Integer(required=True)
    voucher = String(required=True)


class SentOut(Schema):
    """Something that was sent here, and how far it is."""

    id = Integer(required=True)
    chain_id = Integer(required=True)
    hash = String(required=True)
    sender = String(required=True)
    nonce = Integer(required=True)
    purpose = String(required=True)
    subject = String(required=True)
    state = String(required=True)
    error = String(required=True, allow_none=True)
    block = Integer(required=True, allow_none=True)
    block_hash = String(required=True, allow_none=True)
    confirmations = Integer(required=True)
    created_at = Integer(required=True)


class OneSentOut(SentOut):
    """One of them by itself."""


class AllSentOut(Schema):
    """Some of what was sent, newest first; `next` is the cursor of the next page."""

    sent = List(Nested(SentOut), required=True)
    next = String(required=True, allow_none=True)


@operation("/orders", "What you bought", output=SalesOut, query=SalesPageQuery, scope=Scope.ORDERS)
def orders(query: dict[str, Any]) -> dict[str, Any]:
    """List your purchases, newest first."""
    place, _, after = query["cursor"].partition(".")
    cursor, limit = read_cursor(place, 1), query["limit"]
    mine = select(SaleRow).where(SaleRow.chain_id == services().chain.chain_id, SaleRow.buyer == caller().address)
    if cursor:
        mine = mine.where(tuple_(SaleRow.listed_block, SaleRow.address) < (cursor[0], after.replace("\0", "")))
    with services().database.read() as db:
        rows = db.scalars(mine.order_by(SaleRow.listed_block.desc(), SaleRow.address.desc()).limit(limit + 1)).all()
    page = rows[:limit]
    following = f"{write_cursor(page[-1].listed_block)}.{page[-1].address}" if len(rows) > limit else None
    return {"sales": [sale_json(row) for row in page], "next": following}


@operation("/orders/<chain_id>/<address>/receipt", "A receipt of yours", output=ReceiptOut, scope=Scope.RECEIPTS)
def receipt(chain_id: str, address: str) -> Any:
    """Hand out the voucher of something you bought, while it opens the gate."""
    row = find_sale(chain_id, address)
    kept = good_voucher(row, kept_for(row)) if row.buyer == caller().address else None
    if kept is None:
        raise nothing("receipt")
    known = {"chain_id": row.chain_id, "sale": row.address, "attempt": kept.attempt, "expires_at": kept.expires_at}
    return {**known, "voucher": services().vouchers.text(kept)}


@operation("/sent", "What you sent", output=AllSentOut, query=ShortQuery, scope=Scope.ORDERS)
def all_sent(query: dict[str, Any]) -> dict[str, Any]:
    """List the transactions that you sent here, newest first."""
    cursor, limit = read_cursor(query["cursor"], 1), query["limit"]
    mine = select(Transaction).where(Transaction.user_id == caller().id)
    if cursor:
        mine = mine.where(Transaction.id < cursor[0])
    with services().database.read() as db:
        rows = db.scalars(mine.order_by(Transaction.id.desc()).limit(limit + 1)).all()
    return {"sent": rows[:limit], "next": write_cursor(rows[limit - 1].id) if len(rows) > limit else None}


@operation("/sent/<key>", "One that you sent", output=OneSentOut, scope=Scope.ORDERS)
def one_sent(key: str) -> Any:
    """Tell how far a transaction is."""
    row = None
    if key.isascii() and key.isdigit() and len(key) < 16:
        with services().database.read() as db:
            row = db.get(Transaction, int(key))
    if row is None or row.user_id != caller().id:
        raise nothing("transaction of yours")
    return row
