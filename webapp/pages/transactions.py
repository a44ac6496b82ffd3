"""One transaction of one's own: sent, mined, confirmed; pushed to the page as it moves."""

from collections.abc import Iterator

from flask import Blueprint, Response, abort, render_template
from sqlalchemy import select

from webapp.access import signed_in, the_user
from webapp.live import changes, stream
from webapp.models import SaleRow, Transaction
from webapp.outbox import OPEN
from webapp.services import services

LOOK_AGAIN_S = 1.0
bp = Blueprint("transactions", __name__, url_prefix="/transactions")


def _own(transaction_id: int) -> Transaction:
    """Return a transaction of this person, or answer 404: others' do not exist for them."""
    with services().database.read() as db:
        row = db.get(Transaction, transaction_id) if transaction_id < 2**63 else None
    if row is None or row.user_id != the_user().id:
        abort(404)
    return row


@bp.get("")
@signed_in
def mine() -> str:
    """Show what this person has sent, newest first."""
    query = select(Transaction).where(Transaction.user_id == the_user().id).order_by(Transaction.id.desc()).limit(100)
    with services().database.read() as db:
        rows = list(db.scalars(query))
    return render_template("transactions/mine.html", rows=rows)


@bp.get("/<int:transaction_id>")
@signed_in
def show(transaction_id: int) -> str:
    """Show one transaction and follow it."""
    return render_template("transactions/show.html", **_facts(_own(transaction_id)))


def _facts(row: Transaction) -> dict[str, object]:
    sale = None
    if row.subject.startswith("0x"):
        with services().database.read() as db:
            sale = db.get(SaleRow, (row.chain_id, row.subject))
    return {"tx": row, "sale": sale, "needed": services().settings.confirmations, "open": row.state in OPEN}


@bp.get("/<int:transaction_id>/live")
@signed_in
def live(transaction_id: int) -> Response:
    """Push the page's middle whenever it changes, until nothing more will."""
    _own(transaction_id)
    settings = services().settings

    def pieces() -> Iterator[str]:
        before = ""
        for _ in changes(LOOK_AGAIN_S, settings.poll_s):
            with services().database.read() as db:
                row = db.get(Transaction, transaction_id)
            if row is None:
                return
            facts = _facts(row)
            piece = render_template("transactions/progress.html", **facts)
            if piece != before:
                yield piece
                before = piece
            ended = not facts["open"] and (facts["sale"] is not None or row.state != "done")
            if ended or (not row.subject.startswith("0x") and not facts["open"]):
                return

    return stream(pieces())
