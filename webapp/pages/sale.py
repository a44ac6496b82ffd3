"""One sale: its facts, its life, and what the person who looks may do."""

from flask import Blueprint, abort, redirect, render_template, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from contracts.errors import NodeError
from contracts.sale import Status
from webapp.access import current_user, sees_buyer, signed_in, the_user
from webapp.catalogue import who_sells_where
from webapp.errors import InvalidInput, NodeUnreachable, Refused, WebError
from webapp.forms.fields import ActionForm
from webapp.furniture import name_known
from webapp.models import Event, SaleRow, Transaction, User, now
from webapp.outbox import OPEN, Planned, State
from webapp.proofs import proof_of
from webapp.services import services
from webapp.signing import sign_and_send
from webapp.timeline import steps_of
from webapp.vouchers import expiry

bp = Blueprint("sale", __name__, url_prefix="/sales/<int:chain_id>/<address>")
ACTS = ("buy", "cancel", "refund", "withdraw")
WALLET_FORGETS_S = 600


def get_sale(chain_id: int, address: str) -> SaleRow:
    """Return the sale, or answer 404."""
    with services().database.read() as db:
        row = db.get(SaleRow, (chain_id, address)) if chain_id < 2**63 else None
    return row or abort(404)


@bp.get("")
def show(chain_id: int, address: str) -> str:
    """Show a sale."""
    return _page(get_sale(chain_id, address), {act: ActionForm(formdata=None) for act in ACTS})


def _page(row: SaleRow, forms: dict[str, ActionForm], problem: str = "", asked: str = "") -> str:
    user = current_user()
    seller, site, operator = who_sells_where(services().database, row)
    name_known(row.seller, seller)
    return render_template(
        "sale/sale.html",
        sale=row,
        site=site,
        operator=operator,
        steps=steps_of(events_of(row), sees_buyer(row, user)),
        sees_buyer=sees_buyer(row, user),
        acts=acts_for(row, user),
        forms=forms,
        problem=problem,
        asked=asked,
        pending=pending_for(row, user),
        now=now(),
    )


@bp.get("/contract")
def contract(chain_id: int, address: str) -> str:
    """Ask a node what the contract itself says: the published functions."""
    row, chain = get_sale(chain_id, address), services().chain
    sale, head = chain.sale(row.address), chain.head()
    try:
        facts = {"item": sale.get_item(head.number), "sold": sale.is_sold(head.number)}
        genuine = chain.factory.is_sale(row.address, head.number)
    except NodeError as error:
        raise NodeUnreachable from error
    return render_template("sale/contract.html", genuine=genuine, head=head, **facts)


@bp.get("/proof.json")
def proof(chain_id: int, address: str) -> Response:
    """Return what the sealers signed about the sale, as a file; whoever may see the buyer may have it."""
    row, shop = get_sale(chain_id, address), services()
    if not sees_buyer(row, current_user()):
        abort(404)
    answer = Response(proof_of(shop.chain, shop.settings.home, row.address), mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="lading-proof-{row.address[2:8]}.json"'
    return answer


@bp.post("/<act>")
@signed_in
def act(chain_id: int, address: str, act: str) -> Response | str | tuple[str, int]:
    """Sign and send one act of a sale's life."""
    row, user = get_sale(chain_id, address), the_user()
    if act not in ACTS:
        abort(404)
    forms = {name: ActionForm(formdata=None) for name in ACTS if name != act}
    forms[act] = form = ActionForm()
    if not form.validate_on_submit():
        return _page(row, forms, asked=act), 400
    try:
        sent = _sign(row, user, act, form)
    except InvalidInput as error:
        return _page(row, forms, str(error), act), 400
    except WebError as error:
        return _page(row, forms, str(error), act), 400 if isinstance(error, Refused) else 503
    return redirect(url_for("transactions.show", transaction_id=sent.id), 303)


def _sign(row: SaleRow, user: User, act: str, form: ActionForm) -> Transaction:
    known = services().outbox.find(user.id, form.key)
    if known:
        return known[0]
    refuse_while_pending(row, user)
    if act == "buy":
        return _buy(row, user, form)
    if act not in acts_for(row, user):
        raise Refused("That is not open to you now; the sale may have moved on. Nothing was sent.")
    sale = services().chain.sale(row.address)
    call = sale.withdraw(user.address) if act == "withdraw" else getattr(sale, act)()
    plan = Planned(call, act, row.address, {"title": title_of(row)})
    return sign_and_send(user, form.phrase, form.key, [plan])[0]


def _buy(row: SaleRow, user: User, form: ActionForm) -> Transaction:
    """Pay, and sign the voucher of attempt 0 in the same action."""
    from webapp.signing import unlock

    shop = services()
    if row.status != Status.LISTED:
        raise Refused("Somebody was faster, or it was withdrawn: this is no longer for sale. Nothing was sent.")
    plan = Planned(
        shop.chain.sale(row.address).buy(row.price_wei),
        "buy",
        row.address,
        {"title": title_of(row), "price_wei": str(row.price_wei)},
    )
    shop.chain.check(user.address, plan.call)
    key = unlock(user, form.phrase)
    until = expiry(row.window_s, 0, shop.settings.voucher_days, shop.chain.head().timestamp)
    shop.vouchers.sign(key, row.address, 0, until)
    return shop.outbox.submit(user.id, key, form.key, [plan])[0]


def title_of(row: SaleRow) -> str:
    """Return what people call the goods."""
    return f"{row.make} {row.model}"


def acts_for(row: SaleRow, user: User | None) -> list[str]:
    """Return what this person may do with this sale now."""
    if user is None:
        return []
    seller, buyer = user.address == row.seller, user.address == row.buyer
    acts = ["cancel"] if seller and row.status == Status.LISTED else []
    if row.window_s and row.status == Status.SOLD and (seller or (buyer and now() >= row.refundable_at)):
        acts.append("refund")
    if row.window_s and row.status == Status.RELEASING and buyer and now() >= row.refundable_at + 7 * 86_400:
        acts.append("refund")
    owed = (seller and row.status == Status.RELEASED) or (buyer and row.status == Status.REFUNDED)
    if owed and row.undelivered_wei:
        acts.append("withdraw")
    return acts


def events_of(row: SaleRow) -> list[Event]:
    """Return a sale's events in order."""
    query = select(Event).where(Event.chain_id == row.chain_id, Event.entity == f"sale:{row.address}")
    with services().database.read() as db:
        return list(db.scalars(query.order_by(Event.block, Event.log_index)))


def pending_for(row: SaleRow, user: User | None) -> Transaction | None:
    """Return what this person sent about this sale and is still under way."""
    if user is None:
        return None
    mine = (Transaction.user_id == user.id, Transaction.subject == row.address, Transaction.state.in_(OPEN))
    # What a wallet sent is the wallet's to send again: one that dropped it must not hold the sale's forms back.
    fresh = Transaction.raw.is_not(None) | (Transaction.state == State.MINED)
    fresh = fresh | (Transaction.created_at > now() - WALLET_FORGETS_S)
    with services().database.read() as db:
        return db.scalar(select(Transaction).where(*mine, fresh).order_by(Transaction.id.desc()).limit(1))


def refuse_while_pending(row: SaleRow, user: User) -> None:
    """Let one transaction about a sale get into a block before the next: the trial sees none that is not in one.

    Raises:
        Refused: one is under way.
    """
    pending = pending_for(row, user)
    if pending and pending.state != State.MINED:
        raise Refused("A transaction of yours about this sale is on its way already. Nothing more was sent.")
