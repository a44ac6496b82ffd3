"""One's own account: balance, address, key file, passphrase."""

import json

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm  # type: ignore[import-untyped]
from werkzeug.wrappers import Response as BaseResponse
from wtforms import PasswordField
from wtforms.validators import EqualTo, InputRequired, Length

from webapp.access import audit, sign_in, sign_out_everywhere, signed_in, the_user
from webapp.errors import NodeUnreachable, Refused
from webapp.keystore import MIN_PASSPHRASE, check_passphrase
from webapp.models import User
from webapp.people import find
from webapp.services import services
from webapp.signing import unlock

bp = Blueprint("account", __name__, url_prefix="/account")


class PassphraseForm(FlaskForm):  # type: ignore[misc]
    """A new passphrase for the same key."""

    passphrase = PasswordField("Present passphrase", validators=[InputRequired("Enter it."), Length(max=256)])
    fresh = PasswordField("New passphrase", validators=[InputRequired("Choose one."), Length(max=256)])
    again = PasswordField("New passphrase, again", validators=[EqualTo("fresh", "These two are not the same.")])


@bp.get("")
@signed_in
def show() -> str:
    """Show the account."""
    return _page(PassphraseForm(formdata=None))


def _page(form: PassphraseForm, problem: str = "") -> str:
    try:
        balance = services().chain.balance(the_user().address)
    except NodeUnreachable:
        balance = None
    new = "new" in request.args
    return render_template(
        "account/account.html", balance=balance, form=form, problem=problem, new=new, least=MIN_PASSPHRASE
    )


@bp.get("/key")
@signed_in
def key() -> Response:
    """Hand out the key file, still encrypted with the passphrase."""
    user = the_user()
    if user.keystore is None:
        abort(404)
    with services().database.write() as db:
        row = db.get(User, user.id)
        if row is not None:
            row.key_exported = True
    audit("key-export", user.address)
    answer = Response(json.dumps(user.keystore, indent=1), mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="lading-key-{user.address}.json"'
    return answer


@bp.post("/passphrase")
@signed_in
def passphrase() -> BaseResponse | tuple[str, int]:
    """Encrypt the same key anew; other browsers sign in again."""
    form, user = PassphraseForm(), the_user()
    if not form.validate_on_submit():
        return _page(form), 400
    try:
        fresh_phrase = check_passphrase(form.fresh.data or "", "fresh")
        secret = unlock(user, form.passphrase.data or "")
        sealed = services().unlocker.seal(secret, fresh_phrase)
    except Refused as error:
        return _page(form, str(error)), 400
    with services().database.write() as db:
        row = db.get(User, user.id)
        if row is not None:
            row.keystore = sealed
    sign_out_everywhere(user)
    fresh = find(services().database, user.id)
    if fresh is not None:
        sign_in(fresh)
    audit("passphrase-change", user.address)
    flash("The new passphrase is in force. Save the key file again: the old one opens with the old passphrase.", "done")
    return redirect(url_for("account.show"), 303)
