"""Personal tokens on the account page: made, listed, revoked; a new one is shown once."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.access import audit, signed_in, the_user
from webapp.errors import InvalidInput
from webapp.services import services
from webapp.tokens import WORDS, Scope, make_token, revoke, tokens_of

bp = Blueprint("tokens", __name__, url_prefix="/account/tokens")
DAYS = (7, 30, 90, 365)


@bp.get("")
@signed_in
def mine() -> str:
    """List one's tokens."""
    return _page()


def _page(token: str = "", problem: str = "") -> str:
    rows = tokens_of(services().database, the_user())
    return render_template(
        "account/tokens.html", rows=rows, token=token, problem=problem, words=WORDS, days=DAYS, read=Scope.READ
    )


@bp.post("")
@signed_in
def make() -> str | tuple[str, int]:
    """Make a token and show it, this once."""
    days = request.form.get("days", "30")
    try:
        token = make_token(
            services().database,
            the_user(),
            request.form.get("name", ""),
            request.form.getlist("scopes"),
            int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 0,
        )
    except InvalidInput as error:
        return _page(problem=str(error)), 400
    audit("token-made", request.form.get("name", ""), " ".join(request.form.getlist("scopes")))
    return _page(token)


@bp.post("/<int:token_id>/revoke")
@signed_in
def end(token_id: int) -> Response:
    """Revoke a token."""
    if token_id >= 2**63 or not revoke(services().database, the_user(), token_id):
        abort(404)
    audit("token-revoked", str(token_id))
    flash("The token is revoked: whoever has it is refused from now on.", "done")
    return redirect(url_for("tokens.mine"), 303)
