"""The release as a state machine: pure, one table.

Rules, and why:

1. A voucher is consumed on chain before anything opens, and an `intent` is on disk before the pulse.
2. An intent is pulsed once. Found open after a restart it is never pulsed again: a door found closed may have
   opened and closed, so that is a case for the operator.
3. `abort` follows by itself only where no intent was written, or where a sensor that watched from before the pulse
   to the relock saw no opening.
4. Nothing opens late for whoever stands there: past `openBefore` a release waits for the same voucher to be shown
   again, and is aborted when nobody does.
5. What is not in the table changes nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from iot_client.errors import NotNow


class State(StrEnum):
    """How far one attempt to collect has come."""

    SCANNED = "scanned"
    DECODED = "decoded"
    GENUINE = "genuine"
    OWNED = "owned"
    REFUSED = "refused"
    SUBMITTED = "submitted"
    CONSUMED = "consumed"
    REQUESTED = "requested"
    LATE = "late"
    INTENT = "intent"
    ACTUATED = "actuated"
    SENSED = "sensed"
    COMPLETED = "completed"
    ABORTING = "aborting"
    ABORTED = "aborted"
    CASE = "case"


class Event(StrEnum):
    """What happens to it."""

    READ = "a Lading code was read"
    SALE_PROVEN = "the sale is one of ours, at this site"
    OWNERSHIP_PROVEN = "paid for by the voucher's buyer, not yet released"
    REFUSE = "a check failed"
    READY = "it can be finished from here"
    RELEASE_PROVEN = "Releasing by this device is proven"
    RELEASE_FAILED = "the release can no longer be mined"
    RELEASE_UNDONE = "the chain says that this release is over"
    REQUEST_SENT = "desired was accepted"
    OPEN_WANTED = "the cloud, or the local path, wants it open before openBefore"
    DEADLINE = "openBefore passed"
    SHOWN_AGAIN = "the same voucher was shown again"
    GIVEN_UP = "nobody came back"
    ORDERED_OPEN = "the operator, by signature, wants it open"
    PULSED = "the lock was pulsed"
    OPENED = "the sensor saw the door open"
    STAYED_SHUT = "the sensor watched until the relock and saw no opening"
    UNSURE = "no sensor, a jam, or a restart in between"
    SETTLED_OPENED = "the operator says: it opened"
    SETTLED_SHUT = "the operator says: it did not open"
    COMPLETE_PROVEN = "Released is proven"
    ABORT_PROVEN = "the abort is proven"


class Effect(StrEnum):
    """What has to be done after a transition."""

    CHECK = "ask the chain"
    CHECK_READY = "check that it can be finished"
    TELL = "tell the person"
    SEND_RELEASE = "send release"
    REQUEST_OPEN = "publish desired"
    CLEAR_REQUEST = "clear desired"
    PULSE = "pulse the lock"
    WATCH = "watch the sensor"
    REPORT = "report lastRelease"
    SEND_COMPLETE = "send complete"
    SEND_ABORT = "send abort"
    CALL_OPERATOR = "call the operator"


@dataclass(frozen=True)
class Transition:
    """Where an event leads and what it asks for."""

    to: State
    effects: tuple[Effect, ...] = ()


def _to(state: State, *effects: Effect) -> Transition:
    return Transition(state, effects)


S, E, F = State, Event, Effect

TABLE: dict[tuple[State, Event], Transition] = {
    # Before anything is sent, a refusal costs nothing and the voucher stays good.
    (S.SCANNED, E.READ): _to(S.DECODED, F.CHECK),
    (S.SCANNED, E.REFUSE): _to(S.REFUSED, F.TELL),
    (S.DECODED, E.SALE_PROVEN): _to(S.GENUINE),
    (S.DECODED, E.REFUSE): _to(S.REFUSED, F.TELL),
    (S.GENUINE, E.OWNERSHIP_PROVEN): _to(S.OWNED, F.CHECK_READY),
    (S.GENUINE, E.REFUSE): _to(S.REFUSED, F.TELL),
    (S.OWNED, E.READY): _to(S.SUBMITTED, F.SEND_RELEASE),
    (S.OWNED, E.REFUSE): _to(S.REFUSED, F.TELL),
    # The voucher is on its way to be consumed.
    (S.SUBMITTED, E.RELEASE_PROVEN): _to(S.CONSUMED, F.REQUEST_OPEN),
    (S.SUBMITTED, E.RELEASE_FAILED): _to(S.REFUSED, F.TELL),
    # Consumed, nothing opened: the cloud asks, or time runs out.
    (S.CONSUMED, E.REQUEST_SENT): _to(S.REQUESTED),
    (S.CONSUMED, E.OPEN_WANTED): _to(S.INTENT, F.PULSE),
    (S.CONSUMED, E.DEADLINE): _to(S.LATE, F.CLEAR_REQUEST, F.TELL),
    (S.CONSUMED, E.SHOWN_AGAIN): _to(S.CONSUMED, F.REQUEST_OPEN),
    (S.CONSUMED, E.RELEASE_UNDONE): _to(S.REFUSED, F.CLEAR_REQUEST, F.TELL),
    (S.REQUESTED, E.REQUEST_SENT): _to(S.REQUESTED),
    (S.REQUESTED, E.OPEN_WANTED): _to(S.INTENT, F.PULSE),
    (S.REQUESTED, E.DEADLINE): _to(S.LATE, F.CLEAR_REQUEST, F.TELL),
    (S.REQUESTED, E.SHOWN_AGAIN): _to(S.CONSUMED, F.REQUEST_OPEN),
    (S.REQUESTED, E.RELEASE_UNDONE): _to(S.REFUSED, F.CLEAR_REQUEST, F.TELL),
    (S.LATE, E.SHOWN_AGAIN): _to(S.CONSUMED, F.REQUEST_OPEN),
    (S.CONSUMED, E.ORDERED_OPEN): _to(S.INTENT, F.PULSE),
    (S.REQUESTED, E.ORDERED_OPEN): _to(S.INTENT, F.PULSE),
    (S.LATE, E.ORDERED_OPEN): _to(S.INTENT, F.PULSE),
    (S.LATE, E.GIVEN_UP): _to(S.ABORTING, F.SEND_ABORT),
    (S.LATE, E.SETTLED_SHUT): _to(S.ABORTING, F.SEND_ABORT),
    (S.LATE, E.RELEASE_UNDONE): _to(S.REFUSED, F.TELL),
    # From here on the door may have moved.
    (S.INTENT, E.PULSED): _to(S.ACTUATED, F.WATCH),
    (S.INTENT, E.OPENED): _to(S.SENSED, F.SEND_COMPLETE, F.REPORT, F.TELL),
    (S.INTENT, E.UNSURE): _to(S.CASE, F.REPORT, F.CALL_OPERATOR),
    (S.ACTUATED, E.OPENED): _to(S.SENSED, F.SEND_COMPLETE, F.REPORT, F.TELL),
    (S.ACTUATED, E.STAYED_SHUT): _to(S.ABORTING, F.SEND_ABORT, F.REPORT, F.TELL),
    (S.ACTUATED, E.UNSURE): _to(S.CASE, F.REPORT, F.CALL_OPERATOR),
    (S.CASE, E.SETTLED_OPENED): _to(S.SENSED, F.SEND_COMPLETE, F.REPORT),
    (S.CASE, E.SETTLED_SHUT): _to(S.ABORTING, F.SEND_ABORT, F.REPORT),
    (S.CASE, E.COMPLETE_PROVEN): _to(S.COMPLETED, F.REPORT),
    (S.CASE, E.ABORT_PROVEN): _to(S.ABORTED, F.REPORT),
    # The chain hears what the door did.
    (S.SENSED, E.COMPLETE_PROVEN): _to(S.COMPLETED),
    (S.SENSED, E.RELEASE_UNDONE): _to(S.CASE, F.CALL_OPERATOR),
    (S.ABORTING, E.ABORT_PROVEN): _to(S.ABORTED),
    (S.ABORTING, E.COMPLETE_PROVEN): _to(S.COMPLETED),
    (S.ABORTING, E.RELEASE_UNDONE): _to(S.ABORTED),
}

ENDS = frozenset({S.REFUSED, S.COMPLETED, S.ABORTED})
BEFORE_INTENT = frozenset({S.SUBMITTED, S.CONSUMED, S.REQUESTED, S.LATE})
AWAITS_CHAIN = frozenset({S.SUBMITTED, S.SENSED, S.ABORTING})
OCCUPIES_DOOR = frozenset({S.SUBMITTED, S.CONSUMED, S.REQUESTED, S.INTENT, S.ACTUATED})


def advance(state: State, event: Event) -> Transition:
    """The transition for this event, or `NotNow`, which changes nothing."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise NotNow(f"'{event}' means nothing while {state}") from None


def permits(state: State, event: Event) -> bool:
    """Whether the table lists this event in this state."""
    return (state, event) in TABLE
