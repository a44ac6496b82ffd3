"""How an operation of the API is declared: who may call it, what goes in, what comes out."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from apiflask import APIBlueprint, Schema
from apiflask.fields import Integer, String
from apiflask.validators import Range, Regexp
from flask import g, request

from webapp.access import current_user, the_user
from webapp.api.problems import Problem
from webapp.cursors import Slice, read_cursor
from webapp.models import User
from webapp.people import Role
from webapp.services import services
from webapp.tokens import Scope, bearer_of

View = Callable[..., Any]
bp = APIBlueprint("api", __name__, url_prefix="/api/v1", tag="lading")
SAFE = ("GET", "HEAD", "OPTIONS")
ONE = r"^([0-9]{1,15})?$"
TWO = r"^([0-9]{1,15}-[0-9]{1,15})?$"
SALE = r"^([0-9]{1,15}\.0x[0-9a-fA-F]{40})?$"
ASK = {"WWW-Authenticate": 'Bearer realm="lading"'}


@bp.before_request
def _who() -> None:
    """A token says who asks; without one it is the session of a browser, which may read and change nothing."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if not kind:
        g.scopes = frozenset(Scope) if request.method in SAFE else frozenset()
        return
    bearer = bearer_of(services().database, token.strip()) if kind.lower() == "bearer" else None
    if bearer is None:
        raise Problem(401, "bad-token", "This token is none of ours, was revoked, or has run out.", ASK)
    g.user, g.scopes = bearer.user, bearer.scopes


def operation(
    rule: str,
    summary: str,
    *,
    output: type[Schema] | None = None,
    query: type[Schema] | None = None,
    body: type[Schema] | None = None,
    headers: type[Schema] | None = None,
    method: str = "GET",
    scope: Scope = Scope.READ,
    status: int = 200,
    responses: dict[int, Any] | None = None,
) -> Callable[[View], View]:
    """Declare an operation.

    Everybody may read where the explorer is public; every other scope wants a person.
    """

    def decorate(view: View) -> View:
        made = bp.output(output, status_code=status)(view) if output else view
        made = bp.input(body, location="json", arg_name="body")(made) if body else made
        made = bp.input(query, location="query", arg_name="query")(made) if query else made
        made = bp.input(headers, location="headers", arg_name="headers")(made) if headers else made
        security: Any = [{}, {"token": []}] if scope == Scope.READ else [{"token": []}]
        words = f"{(view.__doc__ or '').strip()} Scope of the token: `{scope}`."
        made = bp.doc(summary=summary, description=words, security=security, responses=responses)(made)

        @wraps(made)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            _check(scope)  # first of all: strangers learn nothing of what an operation takes
            return made(*args, **kwargs)

        bp.route(rule, methods=[method])(guarded)
        return view

    return decorate


def _check(scope: Scope) -> None:
    anybody = scope == Scope.READ and services().settings.public
    if current_user() is None:
        if anybody:
            return
        raise Problem(401, "token-needed", "Come with a token: `Authorization: Bearer lading_…`.", ASK)
    if request.method not in SAFE and caller().role == Role.AUDITOR:
        raise Problem(403, "not-allowed", "An auditor reads everything and changes nothing.")
    if scope not in g.scopes:
        if request.method not in SAFE and not g.scopes:
            raise Problem(401, "token-needed", "A browser's session changes nothing here: come with a token.", ASK)
        raise Problem(403, "scope-missing", f"This token lacks the scope {scope}.")


def caller() -> User:
    """Return who asks, in an operation that wants a person."""
    return the_user()


def nothing(what: str) -> Problem:
    """Return the answer where there is nothing, or nothing for this person to see."""
    return Problem(404, "not-found", f"There is no such {what}, or it is not for you to see.")


def page_of(query: dict[str, Any], numbers: int) -> Slice:
    """Return which page was asked for; a cursor of this list has so many numbers."""
    return Slice(read_cursor(query["cursor"], numbers), query["limit"])


class PageQuery(Schema):
    """Which page: begin after `cursor`, the `next` of the page before."""

    cursor = String(load_default="", validate=Regexp(TWO))
    limit = Integer(load_default=25, validate=Range(1, 100))


class ShortQuery(PageQuery):
    """The same for lists that one number orders."""

    cursor = String(load_default="", validate=Regexp(ONE))


class SalesPageQuery(PageQuery):
    """The same for lists of sales."""

    cursor = String(load_default="", validate=Regexp(SALE))
