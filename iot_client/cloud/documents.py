"""What the shadow's documents say, read strictly; pure.

A delta holds only the leaves that differ, so a request in it may be partial; a partial one asks for a `get`.
"""

import json
import re
from dataclasses import dataclass

from iot_client.journal import Key

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
COMMANDS = ("open", "opened", "not-opened")


@dataclass(frozen=True)
class OpenRequest:
    """`desired.release`, whole."""

    sale: str
    attempt: int
    open_before: float

    def is_for(self, key: Key) -> bool:
        """Whether it names this release."""
        return self.sale.lower() == key.sale.lower() and self.attempt == key.attempt


@dataclass(frozen=True)
class Partial:
    """A request of which only some leaves are there: ask for the document."""


@dataclass(frozen=True)
class Command:
    """An operator's signed command."""

    id: str
    kind: str
    sale: str
    attempt: int
    reason: str
    before: int
    signature: str


def parse(payload: bytes) -> dict[str, object]:
    """A JSON object, or an empty one: what is no document wants nothing."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def wanted_by(state: object) -> OpenRequest | Partial | None:
    """The request in a delta's `state` (or in a document's `state.delta`)."""
    release = state.get("release") if isinstance(state, dict) else None
    if not isinstance(release, dict) or not release:
        return None
    sale, attempt, before = release.get("sale"), release.get("attempt"), release.get("openBefore")
    whole = isinstance(sale, str) and ADDRESS.fullmatch(sale) and _count(attempt) and _number(before)
    return OpenRequest(str(sale), release["attempt"], float(release["openBefore"])) if whole else Partial()


def command_in(state: object) -> Command | Partial | None:
    """The command in the `operator` shadow's delta."""
    found = state.get("command") if isinstance(state, dict) else None
    if not isinstance(found, dict) or not found:
        return None
    texts = [found.get(name) for name in ("id", "kind", "sale", "reason", "signature")]
    if not all(isinstance(text, str) for text in texts) or not _count(found.get("attempt")):
        return Partial()
    if not _count(found.get("before")) or found["kind"] not in COMMANDS or len(found["id"]) > 64:
        return Partial()
    return Command(
        found["id"],
        found["kind"],
        found["sale"],
        found["attempt"],
        found["reason"],
        found["before"],
        found["signature"],
    )


def request(key: Key, open_before: float) -> dict[str, object]:
    """The update that asks for the opening."""
    return {
        "state": {"desired": {"release": {"sale": key.sale, "attempt": key.attempt, "openBefore": int(open_before)}}}
    }


def cleared(last: dict[str, object] | None, reported: dict[str, object]) -> dict[str, object]:
    """The update that clears the request and reports what came of it; never anything under `release`."""
    state: dict[str, object] = {**reported}
    if last is not None:
        state["lastRelease"] = last
    return {"state": {"desired": {"release": None}, "reported": state}}


def last_release(key: Key, outcome: str, at: float) -> dict[str, object]:
    """What is reported of a release."""
    return {"sale": key.sale, "attempt": key.attempt, "outcome": outcome, "at": int(at)}


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
