"""For sellers who sign in their own wallet: one item from the form, or many from a file."""

from flask import Blueprint, abort, request, session, url_for
from hexbytes import HexBytes

from contracts.calls import Call
from webapp.access import only, the_user
from webapp.batch import MAX_LINES, PER_TRANSACTION, read_csv
from webapp.catalogue import open_sites
from webapp.errors import NodeUnreachable, Refused
from webapp.outbox import Planned
from webapp.pages.sell import SELLERS, listing_form
from webapp.pages.wallet import Answer, follow, refused, unreachable
from webapp.selling import planned_batch, planned_listing, plans_of
from webapp.services import services
from webapp.wallets import for_wallet

bp = Blueprint("wallet_selling", __name__, url_prefix="/wallet")
bp.register_error_handler(Refused, refused)
bp.register_error_handler(NodeUnreachable, unreachable)


@bp.post("/prepare-listing")
@only(*SELLERS)
def prepare_listing() -> Answer:
    """Check the listing form and return the transaction that lists the goods."""
    form, shop, user = listing_form(), services(), the_user()
    del form.passphrase
    if not form.validate_on_submit():
        return {
            "error": "Some fields cannot stand.",
            "fields": {name: said[0] for name, said in form.errors.items()},
        }, 400
    plan = planned_listing(shop, user, form)
    shop.chain.check(user.address, plan.call)
    session["listing"] = {"subject": plan.subject, "details": plan.details}
    return {
        "transaction": for_wallet(plan.call, user.address, shop.chain.fees()),
        "report": url_for("wallet_selling.report_listing"),
    }


@bp.post("/report-listing")
@only(*SELLERS)
def report_listing() -> Answer:
    """Follow a listing that the wallet sent."""
    kept = session.get("listing")
    if not kept:
        raise Refused("Fill in the form first.")
    call = services().chain.sale(kept["subject"]).cancel()
    return follow(the_user(), Planned(call, "list", kept["subject"], kept["details"]))


@bp.post("/prepare-batch")
@only(*SELLERS)
def prepare_batch() -> Answer:
    """Check the file and return the transactions that list its goods, but for those already sent from this form."""
    shop, user = services(), the_user()
    sites = {site.id for site, _operator in open_sites(shop.database, shop.chain.chain_id)}
    batch = read_csv(request.form.get("content", "").encode(), sites)
    if not batch.good:
        raise Refused("No line of this file can be listed. Nothing was sent.")
    sent = {row.part for row in shop.outbox.find(user.id, request.form.get("form_key", ""))}
    waiting = [(part, plan) for part, plan in enumerate(plans_of(shop, user.address, batch.good)) if part not in sent]
    fees = shop.chain.fees()
    shop.chain.check(user.address, *(plan.call for _part, plan in waiting))
    return {
        "transactions": [
            {
                "transaction": for_wallet(plan.call, user.address, fees),
                "report": url_for("wallet_selling.report_batch", part=part, count=plan.details["count"]),
            }
            for part, plan in waiting
        ],
        "then": url_for("transactions.mine"),
    }


@bp.post("/report-batch/<int:part>/<int:count>")
@only(*SELLERS)
def report_batch(part: int, count: int) -> Answer:
    """Follow one transaction of a batch that the wallet sent."""
    if part >= MAX_LINES or count > PER_TRANSACTION:
        abort(404)
    first = part * PER_TRANSACTION
    plan = planned_batch(Call(None, HexBytes(b"")), first, count)
    return {**follow(the_user(), plan, part), "next": url_for("transactions.mine")}
