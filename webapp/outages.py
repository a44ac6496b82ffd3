"""What people are told while the database does not answer, or the chain stands still."""

from typing import Any

from flask import g, render_template, request
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError  # noqa: A004  # the pool's own

from webapp.api.problems import problem
from webapp.banner import BANNER
from webapp.services import services

TITLE = "Not right now"
WORDS = (
    "The site's database does not answer at the moment. What was signed before is kept and goes on;"
    " what you just sent may not have arrived. Reload in a minute; a form sent again counts once."
)
KINDS = (OperationalError, InterfaceError, TimeoutError)


def away(_error: Exception) -> Any:
    """Answer with status 503, in words."""
    # The page must ask the database nothing, not even who is signed in.
    g.user = None
    headers = {"Retry-After": "5"}
    if request.path.startswith("/api/"):
        return problem(503, "unavailable", WORDS, headers=headers)
    if request.accept_mimetypes.best == "application/json":
        return {"error": WORDS}, 503, headers
    return render_template("error.html", status=503, title=TITLE, words=WORDS), 503, headers


def standstill() -> dict[str, str]:
    """Give every page a banner while no block is made or no node answers; it costs no query."""
    try:
        return {"standstill": (services().settings.folder / BANNER).read_text()}
    except FileNotFoundError:
        return {}
