"""Who is asking: the session, the roles, what may be seen of a sale, and how often a sign-in may fail."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, abort, g, has_request_context, redirect, request, session, url_for
from sqlalchemy import delete, func, select
from werkzeug.wrappers import Response

from webapp import people
from webapp.errors import Busy, NotAllowed
from webapp.models import Attempt, AuditRow, SaleRow, SiteRow, User, now
from webapp.people import Role
from webapp.services import services

View = Callable[..., Any]


def current_user() -> User | None:
    """Return who is signed in; one query a request."""
    if "user" not in g:
        g.user = _from_session()
    found: User | None = g.user
    return found


def _from_session() -> User | None:
    user_id = session.get("user")
    user = people.find(services().database, user_id) if isinstance(user_id, int) else None
    if user is None or session.get("epoch") != user.session_epoch:
        return None
    return user


def sign_in(user: User) -> None:
    """Begin a session; whatever was in the old one is gone."""
    session.clear()
    session["user"], session["epoch"] = user.id, user.session_epoch
    session.permanent = True
    g.user = user


def sign_out_everywhere(user: User) -> None:
    """End this person's sessions in every browser."""
    with services().database.write() as db:
        fresh = db.get(User, user.id)
        if fresh is not None:
            fresh.session_epoch += 1


def the_user() -> User:
    """Return who is signed in, in a view that requires it."""
    user = current_user()
    if user is None:
        raise NotAllowed("Sign in first.")
    return user


def signed_in(view: View) -> View:
    """Let signed-in people through; others sign in first and come back."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if current_user() is None:
            if request.method == "POST":
                g.session_ended = True
            return redirect(url_for("auth.sign_in", next=local_path(request.full_path)))
        return view(*args, **kwargs)

    return guarded


def only(*roles: Role) -> Callable[[View], View]:
    """Let these roles through; an auditor who may look still may not change anything."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            user = current_user()
            if user is None:
                return redirect(url_for("auth.sign_in", next=local_path(request.full_path)))
            if user.role not in roles:
                said = " and ".join(f"{role}s" for role in roles)
                abort(403, f"This page is for {said}; you are signed in as {user.name}, {user.role}.")
            return view(*args, **kwargs)

        return guarded

    return decorate


def local_path(target: str | None) -> str:
    """Return the target if it is a path of this site, else the front page: no open redirect."""
    parts = urlsplit(target or "")
    plain = target and target.startswith("/") and not target.startswith("//") and "\\" not in target
    safe = plain and not parts.scheme and not parts.netloc and target is not None and target.isprintable()
    return (target or "/").rstrip("?") if safe else "/"


def back_to(target: str | None) -> Response:
    """Redirect within this site."""
    return redirect(local_path(target))


def sees_buyer(sale: SaleRow, user: User | None) -> bool:
    """Whether this person may see who bought: the buyer, the seller, the site's operator, auditors and admins.

    Whoever sees it without being the buyer is written down.
    """
    if user is None:
        return False
    if sale.buyer is not None and user.address == sale.buyer:
        return True
    looks = user.address == sale.seller or user.role in (Role.AUDITOR, Role.ADMIN)
    looks = looks or (user.role == Role.OPERATOR and operates(user, sale.site, sale.chain_id))
    if looks and sale.buyer is not None:
        private_read(sale.address)
    return looks


def private_read(subject: str) -> None:
    """Note that somebody who is not the owner reads private data; `install_reads` writes it down, once a request."""
    if has_request_context():
        g.setdefault("private_reads", {})[subject] = True


def install_reads(app: Flask) -> None:
    """Write down, after each request, whose private data was read by whom."""

    @app.after_request
    def _write(response: Response) -> Response:
        subjects = list(g.pop("private_reads", {}))
        user = current_user() if subjects and response.status_code < 400 else None
        if user is not None:
            who, where = user.id, request.path[:256]
            rows = [AuditRow(user_id=who, action="read-buyer", subject=one[:128], detail=where) for one in subjects]
            with services().database.write() as db:
                db.add_all(rows)
        return response


def operates(user: User, site: int, chain_id: int) -> bool:
    """Whether the site is this operator's."""
    with services().database.read() as db:
        row = db.get(SiteRow, (chain_id, site))
    return row is not None and row.operator == user.address


def check_rate(*subjects: str) -> None:
    """Refuse when one of these subjects has failed too often lately.

    Raises:
        Busy: with the time to wait.
    """
    settings = services().settings
    since = now() - settings.sign_in_window_s
    with services().database.read() as db:
        query = select(func.count()).where(Attempt.subject.in_(subjects), Attempt.at > since).group_by(Attempt.subject)
        worst = max(db.scalars(query), default=0)
    if worst >= settings.sign_in_tries:
        minutes = -(-settings.sign_in_window_s // 60)
        raise Busy(f"Too many failed tries. The account is safe; try again in {minutes} minutes.")


def count_failure(*subjects: str) -> None:
    """Remember a failed try."""
    with services().database.write() as db:
        db.add_all(Attempt(subject=subject, at=now()) for subject in subjects)
        db.execute(delete(Attempt).where(Attempt.at < now() - 86_400))


def once(subject: str) -> bool:
    """Whether this is the first time that somebody comes with this; asked again it is not."""
    with services().database.write(subject) as db:
        seen = db.scalar(select(Attempt.id).where(Attempt.subject == subject).limit(1))
        db.add(Attempt(subject=subject, at=now()))
    return seen is None


def audit(action: str, subject: str, detail: str = "") -> None:
    """Write down who did or read what the chain does not record."""
    user = current_user()
    with services().database.write() as db:
        db.add(AuditRow(user_id=user.id if user else None, action=action, subject=subject[:128], detail=detail[:256]))
