"""Server-sent events: pieces of a page, pushed when they change; a bounded number of listeners."""

import threading
import time
from collections.abc import Iterator

from flask import Response, stream_with_context

LISTENERS = threading.BoundedSemaphore(32)
LONGEST_S = 600


def stream(pieces: Iterator[str], event: str = "piece") -> Response:
    """Return a response that pushes each piece; the browser comes back by itself when it ends early."""
    if not LISTENERS.acquire(blocking=False):
        # The page asks again after a while; nothing is lost but liveliness.
        return Response("retry: 10000\n\n", mimetype="text/event-stream")

    def lines() -> Iterator[str]:
        try:
            began = time.monotonic()
            yield "retry: 2000\n\n"
            for piece in pieces:
                yield as_event(piece, event)
                if time.monotonic() - began > LONGEST_S:
                    return
            yield as_event("end", "end")
        finally:
            LISTENERS.release()

    response = Response(stream_with_context(lines()), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


def as_event(data: str, event: str, event_id: str = "") -> str:
    """Return one event in the wire's format."""
    head = f"id: {event_id}\n" if event_id else ""
    body = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"{head}event: {event}\n{body}\n"
