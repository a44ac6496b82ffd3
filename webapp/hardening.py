"""Headers that every answer carries, and errors in words."""

import logging
from typing import Any

from flask import Flask, Response, abort, render_template, request
from flask_wtf.csrf import CSRFError  # type: ignore[import-untyped]
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException

from webapp.access import current_user
from webapp.api.problems import code_of, problem
from webapp.errors import Busy, InvalidInput, NodeUnreachable, NotAllowed, Refused, WebError
from webapp.people import Role
from webapp.services import services

LOG = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Add headers and error pages."""
    app.before_request(_auditors_only_read)
    app.after_request(_headers)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(WebError, _web_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DataError, _impossible)
    app.register_error_handler(RecursionError, _impossible)


OWN = ("auth.", "bringing.", "tokens.", "account.", "wallet.challenge", "wallet.sign_in")
"""What an auditor may change: the own account."""


def _auditors_only_read() -> None:
    if request.method in ("GET", "HEAD", "OPTIONS") or (request.endpoint or "").startswith(("api.", *OWN)):
        return
    user = current_user()
    if user is not None and user.role == Role.AUDITOR:
        abort(403, "An auditor reads everything and changes nothing.")


def _headers(response: Response) -> Response:
    wallet = services().settings.wallet_rpc
    policy = (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        f"connect-src 'self' {wallet}; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(self), geolocation=(), microphone=()"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _stale_form(_error: CSRFError) -> Any:
    title = "This form is too old"
    return _page(
        400, title, "Your session ended or the page was open for long. Nothing was sent. Go back, reload, send again."
    )


def _web_error(error: WebError) -> Any:
    if request.path.startswith("/api/") and isinstance(error, InvalidInput):
        return problem(422, error.code, str(error), {error.field: [str(error)]})
    status = 503 if isinstance(error, NodeUnreachable | Busy) else 403 if isinstance(error, NotAllowed) else 400
    if not isinstance(error, Refused | NodeUnreachable):
        status = 502
    if request.path.startswith("/api/"):
        return problem(status, error.code, str(error))
    return _page(status, _TITLES.get(status, "That did not work"), str(error))


def _impossible(error: Exception) -> Any:
    """Answer what no database or parser can hold, such as a number of forty digits: it names nothing that exists."""
    # Should the fault be ours after all, it must not pass for a wrong address in silence.
    LOG.warning("%s %s: %s", request.method, request.path, type(error).__name__)
    status = 404 if request.method in ("GET", "HEAD") else 400
    return _page(status, _TITLES[status], _WORDS.get(status, "The request holds what cannot be. Nothing was sent."))


def _http_error(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    words = _WORDS.get(error.code, error.description or "")
    if error.code == 403 and error.description:
        words = error.description
    return _page(error.code, _TITLES.get(error.code, error.name), words)


_TITLES = {
    400: "That did not work",
    403: "Not for this account",
    404: "Nothing here",
    405: "Not like this",
    413: "That file is too large",
    429: "Slow down a little",
    500: "Something broke on our side",
    502: "Another part does not answer",
    503: "Not right now",
}
_WORDS = {
    404: "There is no such page, or it is not for you to see. What was bought and signed is kept.",
    405: "This address does not take that kind of request.",
    413: "Nothing was taken in. Pictures may have 5 MB, lists of goods 1 MB.",
    500: "What was signed before is kept and goes on. Try again; if it stays, tell the operator.",
}


def _page(status: int, title: str, words: str) -> Any:
    if request.path.startswith("/api/"):
        return problem(status, code_of(status), words)
    if request.accept_mimetypes.best == "application/json":
        return {"error": {"code": status, "message": words}}, status
    return render_template("error.html", status=status, title=title, words=words), status
