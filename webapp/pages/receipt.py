"""The receipt: the barcode, its expiry, a new one, an end to all old ones. The buyer's alone."""

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from contracts.sale import Status
from webapp.access import signed_in, the_user
from webapp.barcode import picture_png, picture_svg
from webapp.catalogue import site_and_operator
from webapp.errors import Refused, WebError
from webapp.forms.fields import ActionForm
from webapp.models import SaleRow, VoucherRow, now
from webapp.outbox import Planned
from webapp.pages.sale import get_sale, pending_for, refuse_while_pending, title_of
from webapp.receipt_pdf import receipt_pdf
from webapp.services import services
from webapp.signing import unlock
from webapp.vouchers import expiry

bp = Blueprint("receipt", __name__, url_prefix="/receipts/<int:chain_id>/<address>")


def _own(chain_id: int, address: str) -> SaleRow:
    """Return a sale that this person bought, or answer 404."""
    row = get_sale(chain_id, address)
    return row if row.buyer == the_user().address else abort(404)


def kept_for(row: SaleRow) -> VoucherRow | None:
    """Return the voucher that is kept for the buyer, good or not."""
    return services().vouchers.find(row.address, row.buyer or "")


def good_voucher(row: SaleRow, kept: VoucherRow | None) -> VoucherRow | None:
    """Return the voucher that is kept if it would open the gate now."""
    good = kept is not None and kept.attempt == row.attempt and kept.expires_at > now() and row.status == Status.SOLD
    return kept if good else None


@bp.get("")
@signed_in
def show(chain_id: int, address: str) -> str:
    """Show the receipt."""
    row = _own(chain_id, address)
    return _page(row, {"renew": ActionForm(formdata=None), "revoke": ActionForm(formdata=None)})


def _page(row: SaleRow, forms: dict[str, ActionForm], problem: str = "", asked: str = "") -> str:
    site, operator = site_and_operator(services().database, row.chain_id, row.site)
    kept = kept_for(row)
    return render_template(
        "receipt/receipt.html",
        sale=row,
        site=site,
        operator=operator,
        voucher=good_voucher(row, kept),
        kept=kept,
        forms=forms,
        problem=problem,
        asked=asked,
        pending=pending_for(row, the_user()),
        now=now(),
    )


@bp.get("/barcode.<kind>")
@signed_in
def barcode(chain_id: int, address: str, kind: str) -> Response:
    """Return the barcode as PNG, SVG or, on an A4 page, PDF."""
    row = _own(chain_id, address)
    kept = good_voucher(row, kept_for(row))
    if kept is None or kind not in _KINDS:
        abort(404)
    text = services().vouchers.text(kept)
    if kind == "pdf":
        site, operator = site_and_operator(services().database, row.chain_id, row.site)
        body = receipt_pdf(text, row, site.name if site else "", operator.name if operator else "", kept.expires_at)
    else:
        body = picture_png(text) if kind == "png" else picture_svg(text)
    answer = Response(body, mimetype=_KINDS[kind])
    if "download" in request.args:
        answer.headers["Content-Disposition"] = f'attachment; filename="lading-{row.address[2:8]}.{kind}"'
    return answer


_KINDS = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}


@bp.post("/<act>")
@signed_in
def act(chain_id: int, address: str, act: str) -> BaseResponse | tuple[str, int]:
    """Renew the barcode, or revoke every barcode made so far and sign a new one."""
    row = _own(chain_id, address)
    if act not in ("renew", "revoke"):
        abort(404)
    forms = {name: ActionForm(formdata=None) for name in ("renew", "revoke") if name != act}
    forms[act] = form = ActionForm()
    if not form.validate_on_submit():
        return _page(row, forms, asked=act), 400
    try:
        target = _renew(row, form) if act == "renew" else _revoke(row, form)
    except WebError as error:
        return _page(row, forms, str(error), act), 400 if isinstance(error, Refused) else 503
    return redirect(target, 303)


def _renew(row: SaleRow, form: ActionForm) -> str:
    """Sign another voucher; nothing goes to the chain."""
    shop, user = services(), the_user()
    if row.status != Status.SOLD:
        raise Refused("There is nothing to collect now, so there is no barcode to make.")
    until = expiry(row.window_s, row.refundable_at, shop.settings.voucher_days, shop.chain.head().timestamp)
    if until <= now():
        raise Refused("The refund period has begun: the goods can no longer be collected. Ask for the refund instead.")
    key = unlock(user, form.phrase)
    shop.vouchers.sign(key, row.address, row.attempt, until)
    return url_for("receipt.show", chain_id=row.chain_id, address=row.address)


def _revoke(row: SaleRow, form: ActionForm) -> str:
    """Revoke on chain and sign the voucher of the attempt that follows."""
    shop, user = services(), the_user()
    known = shop.outbox.find(user.id, form.key)
    if not known:
        refuse_while_pending(row, user)
        plan = Planned(shop.chain.sale(row.address).revoke(), "revoke", row.address, {"title": title_of(row)})
        shop.chain.check(user.address, plan.call)
        key = unlock(user, form.phrase)
        until = expiry(row.window_s, row.refundable_at, shop.settings.voucher_days, shop.chain.head().timestamp)
        shop.vouchers.sign(key, row.address, row.attempt + 1, until)
        known = shop.outbox.submit(user.id, key, form.key, [plan])
    return url_for("transactions.show", transaction_id=known[0].id)
