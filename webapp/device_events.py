"""From what a device published to a row of the log. Pure; whatever a device told, something readable comes out."""

import hashlib
import json
import math
from typing import Any

from eth_utils.address import is_address, to_checksum_address

from webapp.gates import Gate

Row = dict[str, Any]
GATE = "gate"
UNKNOWN = "UNKNOWN"
_MILLISECONDS = 10**11
_WHEN_MAX = 4 * 10**9
_OUTCOME = {"release": "state", "alarm": "kind", "request-refused": ""}
_REASONS = ("says", "reason", "message", "detail")


def row_of(chain_id: int, thing: str, told: dict[str, Any]) -> Row:
    """Return the row of an event as the cloud keeps it: `{"id", "received_at", "event"}`."""
    event = told.get("event")
    event = event if isinstance(event, dict) else {}
    received = _moment(told.get("received_at")) or 0.0
    kind = _text(event.get("event"), 32) or "event"
    return {
        "chain_id": chain_id,
        "thing": thing,
        "digest": digest(event),
        "kind": "event" if kind == GATE else kind,  # a gate's changes come from its shadow alone
        "at": _moment(event.get("at")) or received,
        "received_at": received,
        "sale": _sale(event.get("sale")),
        "attempt": _count(event.get("attempt")),
        "outcome": _outcome(kind, event),
        "reason": _reason(event),
        "body": _storable(event),
    }


def gate_row(chain_id: int, gate: Gate, now: float) -> Row:
    """Return the row of a change of the gate itself."""
    at, outcome = gate.since or now, gate.state or UNKNOWN
    said = {"gate": outcome, "at": at, "seen_at": now}
    return {
        "chain_id": chain_id,
        "thing": gate.thing,
        "digest": digest(said),
        "kind": GATE,
        "at": at,
        "received_at": now,
        "sale": None,
        "attempt": None,
        "outcome": outcome,
        "reason": gate.trouble,
        "body": said,
    }


def digest(event: Any) -> str:
    """Return what makes two messages the same one."""
    return hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()


def _outcome(kind: str, event: dict[str, Any]) -> str:
    field = _OUTCOME.get(kind, "outcome")
    return _text(event.get(field), 64) if field else "refused"


def _reason(event: dict[str, Any]) -> str:
    """Return the words for people, each once: what a sentence already holds is not said again."""
    said: list[str] = []
    for name in _REASONS:
        text = _text(event.get(name), 300)
        if text and not any(text in earlier for earlier in said):
            said.append(text)
    return " · ".join(said)[:600]


def _moment(value: Any) -> float | None:
    """Return Unix seconds; a device may have written milliseconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    seconds = value / 1000 if value > _MILLISECONDS else value
    return float(seconds) if 0 < seconds < _WHEN_MAX else None


def _sale(value: Any) -> str | None:
    return to_checksum_address(value) if isinstance(value, str) and len(value) == 42 and is_address(value) else None


def _count(value: Any) -> int | None:
    plain = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if plain else None


def _text(value: Any, most: int) -> str:
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}")[:most] if isinstance(value, str) else ""


def _storable(event: dict[str, Any]) -> dict[str, Any]:
    # PostgreSQL keeps no NUL, not even within JSON.
    if "\\u0000" not in json.dumps(event):
        return event
    cleaned: dict[str, Any] = json.loads(json.dumps(event).replace("\\u0000", "\\ufffd"))
    return cleaned
