"""Server-sent events: pieces of pages, pushed when they change, and messages for programs; a bounded number at once."""

import time
from collections.abc import Iterator
from typing import cast

from flask import Response, current_app, request, stream_with_context

from webapp.hub import PATIENCE_S, Hub
from webapp.telling import Message, Place

LONGEST_S = 600
QUIET_S = 10.0
"""Something is sent at least this often, so that those in between keep the connection."""
KEPT_FOR_PAGES = 64
"""Threads that no listener may take."""


def hub() -> Hub:
    """Return the running application's reader."""
    return cast("Hub", current_app.extensions["hub"])


def room_for(threads: int) -> int:
    """Return how many may listen to a process with so many threads."""
    return max(threads - KEPT_FOR_PAGES, threads // 2, 1)


def changes(every_s: float, settle_s: float = 0.25) -> Iterator[None]:
    """Yield at once and whenever something was told, for pieces of pages; at the latest after `every_s`.

    What follows from a block is in the tables a moment after it was told: so it yields once more after `settle_s`.
    """
    shared, socket = hub(), request.environ.get("gunicorn.socket")
    seen, patience_s = shared.count, settle_s
    while not is_gone(socket):
        yield
        count, until = seen, time.monotonic() + patience_s
        while count == seen and time.monotonic() < until and not is_gone(socket):
            count, _ = shared.wait(seen, min(PATIENCE_S, max(0.0, until - time.monotonic())))
        seen, patience_s = count, settle_s if count != seen else every_s


def stream(pieces: Iterator[str], event: str = "piece") -> Response:
    """Return a response that pushes each piece; the browser comes back by itself when it ends early."""
    shared = hub()

    def lines() -> Iterator[str]:
        with shared.listening() as admitted:
            if not admitted:
                # The page asks again after a while; nothing is lost but liveliness.
                yield "retry: 10000\n\n"
                return
            began = time.monotonic()
            yield "retry: 2000\n\n"
            for piece in pieces:
                if time.monotonic() - began > LONGEST_S:
                    return
                yield as_event(piece, event)
            yield as_event("end", "end")

    return _pushed(stream_with_context(lines()))


def messages(shared: Hub, place: Place) -> Iterator[tuple[Place, Message | None]]:
    """Yield every message after `place` and how far one is then; `None` when nothing came for a while.

    What was missed comes from the database, the rest from the hub; each once and in order, whoever reads first.
    """
    seen = -1
    while True:
        if seen < 0:
            seen = shared.count  # counted first: what comes while the database is read is not missed
            while missed := shared.catch_up(place):
                for message in missed:
                    place = place.after(message)
                    yield place, message
        count, fresh = shared.wait(seen)
        seen = -1 if fresh is None else count
        for message in fresh or ():
            if place.before(message):
                place = place.after(message)
                yield place, message
        if not fresh:
            yield place, None


def pushed_messages(lines: Iterator[str]) -> Response:
    """Return the lines as a stream of events, within the hub's room; they no longer know the request."""
    shared = hub()

    def bounded() -> Iterator[str]:
        with shared.listening() as admitted:
            yield "retry: 2000\n\n" if admitted else "retry: 10000\n\n"
            if admitted:
                yield from lines

    return _pushed(bounded())


def is_gone(socket: object) -> bool:
    """Whether the browser at the other end has left; unknown counts as no."""
    import socket as sockets

    if not isinstance(socket, sockets.socket):
        return False
    try:
        return not socket.recv(1, sockets.MSG_PEEK | sockets.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def as_event(data: str, event: str, event_id: str = "") -> str:
    """Return one event in the wire's format."""
    head = f"id: {event_id}\n" if event_id else ""
    body = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"{head}event: {event}\n{body}\n"


def _pushed(lines: Iterator[str]) -> Response:
    response = Response(lines, mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response
