"""For people who sign in their own wallet: sign-in, what to sign, and what they sent."""

import re
from datetime import UTC, datetime
from typing import Any

from eth_utils.address import is_address, to_checksum_address
from flask import Blueprint, abort, request, session, url_for

from contracts.voucher import Voucher, pickup_data
from webapp.access import check_rate, count_failure, local_path, once, signed_in, the_user
from webapp.access import sign_in as begin_session
from webapp.errors import NodeUnreachable, Refused
from webapp.models import SaleRow, User, now
from webapp.outbox import Planned
from webapp.pages.sale import ACTS, acts_for, get_sale, refuse_while_pending, title_of
from webapp.people import wallet_account
from webapp.services import services
from webapp.vouchers import expiry
from webapp.wallets import Challenge, for_wallet

bp = Blueprint("wallet", __name__, url_prefix="/wallet")
USED = "This sign-in was used or has expired. Try again."
_HASH = re.compile(r"0x[0-9a-f]{64}")
Answer = tuple[dict[str, Any], int] | dict[str, Any]


@bp.errorhandler(Refused)
def refused(error: Refused) -> Answer:
    """Answer the page's script in words."""
    return {"error": str(error)}, 400


@bp.errorhandler(NodeUnreachable)
def unreachable(error: NodeUnreachable) -> Answer:
    """Answer the page's script in words."""
    return {"error": str(error)}, 503


@bp.post("/challenge")
def challenge() -> Answer:
    """Return the message that the wallet signs to sign in."""
    made = Challenge.make(request.host, request.host_url.rstrip("/"), services().chain.chain_id)
    session["challenge"] = {"nonce": made.nonce, "issued": int(made.issued.timestamp())}
    address = str(body_of().get("address", ""))
    if not is_address(address):
        raise Refused("The wallet named no account. Unlock it and try again.")
    address = to_checksum_address(address)
    return {"message": made.text(address), "address": address}


@bp.post("/sign-in")
def sign_in() -> Answer:
    """Check the signed message; each is good once."""
    subject, kept = f"address:{request.remote_addr}", session.pop("challenge", None)
    check_rate(subject)
    if kept is None:
        raise Refused(USED)
    issued = datetime.fromtimestamp(kept["issued"], UTC)
    shown = Challenge(request.host, request.host_url.rstrip("/"), services().chain.chain_id, kept["nonce"], issued)
    body = body_of()
    try:
        address = shown.verify(str(body.get("address", "")), str(body.get("signature", "")))
    except Refused:
        count_failure(subject)
        raise
    # The session is the browser's to keep: an old copy of it would make the message good again.
    if not once(f"challenge:{shown.nonce}"):
        raise Refused(USED)
    user = wallet_account(services().database, address)
    if user.keystore is not None:
        raise Refused("This key has a built-in account here: sign in with its name and passphrase.")
    begin_session(user)
    return {"next": local_path(str(body.get("next", "/")))}


@bp.post("/prepare/<int:chain_id>/<address>/<act>")
@signed_in
def prepare(chain_id: int, address: str, act: str) -> Answer:
    """Return what the wallet is asked for, after a trial on the chain."""
    row, user, shop = get_sale(chain_id, address), the_user(), services()
    answer: dict[str, Any] = {}
    if act == "renew":
        return {"voucher": _pickup(row, user, row.attempt)} if row.buyer == user.address else abort(404)
    refuse_while_pending(row, user)
    plan = _plan(row, user, act)
    shop.chain.check(user.address, plan.call)
    answer["transaction"] = for_wallet(plan.call, user.address, shop.chain.fees())
    answer["report"] = url_for("wallet.report", chain_id=chain_id, address=address, act=act)
    if act in ("buy", "revoke"):
        answer["voucher"] = _pickup(row, user, 0 if act == "buy" else row.attempt + 1)
    return answer


def _plan(row: SaleRow, user: User, act: str) -> Planned:
    sale = services().chain.sale(row.address)
    details = {"title": title_of(row)}
    if act == "buy":
        return Planned(sale.buy(row.price_wei), act, row.address, {**details, "price_wei": str(row.price_wei)})
    if act == "revoke" and row.buyer == user.address:
        return Planned(sale.revoke(), act, row.address, details)
    if act not in acts_for(row, user):
        raise Refused("That is not open to you now; the sale may have moved on. Nothing was sent.")
    call = sale.withdraw(user.address) if act == "withdraw" else getattr(sale, act)()
    return Planned(call, act, row.address, details)


def _pickup(row: SaleRow, user: User, attempt: int) -> dict[str, Any]:
    until = expiry(row.window_s, row.refundable_at, services().settings.voucher_days, services().chain.head().timestamp)
    data = pickup_data(chain_id=row.chain_id, sale=row.address, buyer=user.address, attempt=attempt, expires_at=until)
    keep = url_for("wallet.keep", chain_id=row.chain_id, address=row.address)
    receipt = url_for("receipt.show", chain_id=row.chain_id, address=row.address)
    return {"data": data, "keep": keep, "attempt": attempt, "expires_at": until, "then": receipt}


@bp.post("/voucher/<int:chain_id>/<address>")
@signed_in
def keep(chain_id: int, address: str) -> Answer:
    """Keep a voucher that the wallet signed, if it is this person's."""
    row, user, body, shop = get_sale(chain_id, address), the_user(), body_of(), services()
    attempt, until = _whole(body, "attempt"), _whole(body, "expires_at")
    try:
        signature = bytes.fromhex(str(body.get("signature", "")).removeprefix("0x"))
    except ValueError as error:
        raise Refused("The wallet's signature cannot be read. Sign again.") from error
    limit = expiry(row.window_s, row.refundable_at, shop.settings.voucher_days, shop.chain.head().timestamp)
    if not now() < until <= limit + 60:
        raise Refused("This barcode's time does not fit the sale. Sign again.")
    if not _signed_by(row, user, attempt, until, signature):
        raise Refused("The signature is not this account's. Choose the same account in the wallet.")
    shop.vouchers.keep(Voucher(chain_id, row.address, user.address, until, signature), attempt)  # type: ignore[arg-type]
    return {"kept": True}


def _signed_by(row: SaleRow, user: User, attempt: int, until: int, signature: bytes) -> bool:
    from eth_account import Account
    from eth_account.messages import encode_typed_data

    data = pickup_data(chain_id=row.chain_id, sale=row.address, buyer=user.address, attempt=attempt, expires_at=until)
    try:
        return bool(Account.recover_message(encode_typed_data(full_message=data), signature=signature) == user.address)
    except Exception:  # noqa: BLE001  # the key library's own errors share no base
        return False


def _whole(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**40:
        raise Refused(f"{name} must be a whole number.")
    return value


@bp.post("/report/<int:chain_id>/<address>/<act>")
@signed_in
def report(chain_id: int, address: str, act: str) -> Answer:
    """Follow a transaction that the wallet sent; only its hash and nonce are kept."""
    row, user = get_sale(chain_id, address), the_user()
    if act not in (*ACTS, "revoke"):
        abort(404)
    details = {"title": title_of(row), "price_wei": str(row.price_wei)}
    return follow(user, Planned(services().chain.sale(row.address).cancel(), act, row.address, details))


def follow(user: User, plan: Planned, part: int = 0) -> dict[str, Any]:
    """Keep what a page's script reports: hash and nonce of a transaction that the wallet sent."""
    body, shop = body_of(), services()
    if user.keystore is not None:
        raise Refused("This account's key is kept here: its transactions are signed here.")
    hash_, form = str(body.get("hash", "")), str(body.get("form_key", ""))
    if not _HASH.fullmatch(hash_) or not re.fullmatch(r"[0-9a-f]{32}", form):
        raise Refused("The wallet's answer cannot be read; look into the wallet whether it was sent.")
    sent = shop.chain.node.call("eth_getTransactionByHash", hash_)
    if sent and sent["from"].lower() != user.address.lower():
        raise Refused("That transaction is another account's.")
    nonce = int(sent["nonce"], 16) if sent else shop.chain.nonce(user.address, "pending")
    row = shop.outbox.record(user.id, form, user.address, (hash_, nonce), plan, part=part)
    return {"next": url_for("transactions.show", transaction_id=row.id)}


def body_of() -> dict[str, Any]:
    """Return the object that a page's script sent."""
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}
