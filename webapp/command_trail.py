"""Every command to a gate, put together from the logs alone: what devices told, and what was signed here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Select, select

from webapp.database import Database
from webapp.device_models import CommandRow, DeviceEvent
from webapp.gate_commands import signer_of

INTENT = "intent"
ENDS = ("sensed", "aborting", "case")


class Authority(StrEnum):
    """By what right a gate was told to open."""

    VOUCHER = "a buyer's receipt, consumed on chain"
    SIGNED = "the operator's signature"
    BY_HAND = "somebody at the machine"


@dataclass(frozen=True)
class Command:
    """One command to a gate and what came of it."""

    event_id: int
    thing: str
    at: float
    kind: str
    authority: Authority
    sale: str | None
    attempt: int | None
    reason: str
    outcome: str
    signer: str | None = None
    proven: bool | None = None
    """Whether the kept signature is the named signer's; `None` where none is kept."""

    @property
    def pulsed(self) -> bool:
        """Whether the lock was energised for it."""
        return self.kind == "open" and (self.authority is Authority.VOUCHER or self.outcome == "done")


@dataclass(frozen=True)
class Trail:
    """One page of commands, newest first."""

    commands: list[Command]
    older: int


def trail_of(database: Database, things: Sequence[str], before: int = 0, most: int = 50) -> Trail:
    """Return the commands to these gates."""
    told = (DeviceEvent.kind == "order") | ((DeviceEvent.kind == "release") & (DeviceEvent.outcome == INTENT))
    query = select(DeviceEvent).where(told, DeviceEvent.thing.in_(things))
    if before:
        query = query.where(DeviceEvent.id < before)
    with database.read() as session:
        events = list(session.scalars(query.order_by(DeviceEvent.id.desc()).limit(most + 1)))
        rest = _what_followed(session.scalars(_releases_of(events)))
        ids = [str(event.body.get("id")) for event in events if event.kind == "order"]
        signed = {row.id: row for row in session.scalars(select(CommandRow).where(CommandRow.id.in_(ids)))}
    older = events[most - 1].id if len(events) > most else 0
    return Trail([command_of(event, rest, signed) for event in events[:most]], older)


def command_of(
    event: DeviceEvent, ends: dict[tuple[str, str | None, int | None], str], signed: dict[str, CommandRow]
) -> Command:
    """Read one event of the log as a command. Pure but for what is handed in."""
    if event.kind == "release":
        by_order = "ordered" in str(event.body.get("by"))
        outcome = ends.get((event.thing, event.sale, event.attempt), "unknown")
        words = "ordered by the operator" if by_order else event.reason
        return Command(
            event.id, event.thing, event.at, "open", Authority.VOUCHER, event.sale, event.attempt, words, outcome
        )
    command_id = str(event.body.get("id"))
    kept = signed.get(command_id)
    return Command(
        event_id=event.id,
        thing=event.thing,
        at=event.at,
        kind=str(event.body.get("kind") or ""),
        authority=Authority.BY_HAND if command_id == "by-hand" else Authority.SIGNED,
        sale=event.sale,
        attempt=event.attempt,
        reason=str(event.body.get("reason") or ""),
        outcome=event.outcome,
        signer=kept.signer if kept else None,
        proven=(signer_of(kept) == kept.signer) if kept else None,
    )


def _releases_of(events: Iterable[DeviceEvent]) -> Select[DeviceEvent]:
    sales = {event.sale for event in events if event.kind == "release" and event.sale}
    query = select(DeviceEvent).where(DeviceEvent.kind == "release", DeviceEvent.sale.in_(sales))
    return query.where(DeviceEvent.outcome.in_(ENDS)).order_by(DeviceEvent.id)


def _what_followed(events: Iterable[DeviceEvent]) -> dict[tuple[str, str | None, int | None], str]:
    return {(event.thing, event.sale, event.attempt): event.outcome for event in events}
