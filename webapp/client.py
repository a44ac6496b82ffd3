"""A small client of the API: `Client(url, token).sale(chain_id, address)`; lists page by themselves, streams reconnect.

For programs and for this project's own tests and commands. It needs nothing of the rest of the application.
"""

import itertools
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, cast

import httpx

Json = dict[str, Any]
AGAIN_S = 1.0


class ApiError(Exception):
    """The API answered with a problem (RFC 9457): `status`, `code` for programs, `detail` for people."""

    def __init__(self, status: int, said: Json) -> None:
        """Take the problem."""
        self.status, self.code = status, str(said.get("code", ""))
        self.detail, self.errors = str(said.get("detail", "")), said.get("errors", {})
        super().__init__(f"{status} {self.code}: {self.detail}")


@dataclass(frozen=True)
class Happened:
    """One event of the stream; `id` is where to go on after it."""

    id: str
    kind: str
    data: Json


class Client:
    """Speaks to one Lading, as whom the token belongs to; without a token as anybody."""

    def __init__(self, url: str, token: str = "", timeout_s: float = 30.0) -> None:
        """Speak to the application at this address."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1", headers=headers, timeout=timeout_s)

    def __enter__(self) -> "Client":
        """Open."""
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, **query: Any) -> Json:
        """Return what a path of the API answers.

        Raises:
            ApiError: a problem.
            httpx.HTTPError: no answer.
        """
        return _read(self._http.get(path, params=query))

    def every(self, path: str, **query: Any) -> Iterator[Json]:
        """Yield everything of a list, page by page."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.get(path, **{"limit": 100, **query, "cursor": cursor})
            cursor = page.pop("next")
            [rows] = page.values()
            yield from rows

    def sale(self, chain_id: int, address: str) -> Json:
        """Return one sale."""
        return self.get(f"/sales/{chain_id}/{address}")

    def history(self, chain_id: int, address: str) -> list[Json]:
        """Return a sale's life, oldest first."""
        return cast("list[Json]", self.get(f"/sales/{chain_id}/{address}/history")["history"])

    def send(self, raw: str, key: str = "") -> Json:
        """Send a transaction that one's own wallet signed; the same `key` again has no further effect."""
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return _read(self._http.post("/transactions", json={"raw": raw}, headers=headers))

    def events(self, after: str = "", **query: Any) -> Iterator[Happened]:
        """Listen from a place, or from this call on, for ever.

        A broken line is taken up again where it was; none is lost or told twice.
        """
        heard = self._heard(after, query)
        # A generator begins when it is first asked: what happened between the call and that would be missed.
        return heard if after else itertools.chain([next(heard)], heard)

    def _heard(self, place: str, query: Json) -> Iterator[Happened]:
        while True:
            try:
                for reached, happened in self._listen(place, query):
                    place = reached
                    if happened is not None:
                        yield happened
            except httpx.TransportError:
                time.sleep(AGAIN_S)

    def _listen(self, place: str, query: Json) -> Iterator[tuple[str, Happened | None]]:
        headers = {"Last-Event-ID": place} if place else {}
        with self._http.stream("GET", "/events", params=query, headers=headers) as answer:
            if answer.is_error:
                answer.read()
                _read(answer)
            said: dict[str, str] = {}
            for line in answer.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    said[name] = value
                    continue
                place = said.get("id", place)
                data = json.loads(said["data"]) if "data" in said else None
                yield place, None if data is None else Happened(place, said.get("event", ""), data)
                said = {}


def _read(answer: httpx.Response) -> Json:
    if answer.is_error:
        try:
            said = answer.json()
        except ValueError:
            said = {"code": "no-api", "detail": "What answered there is no Lading."}
        raise ApiError(answer.status_code, said)
    return cast("Json", answer.json())
