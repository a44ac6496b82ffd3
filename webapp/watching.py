"""Watches the devices in the cloud: their events into the log, their gates as they are. One process at a time."""

import contextlib
import logging
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from webapp.cloud import Cloud
from webapp.database import Database
from webapp.device_events import Row, digest, gate_row, row_of
from webapp.device_log import insert_new
from webapp.device_models import CommandRow, DeviceStream, GateRow, Watch
from webapp.doorbell import Doorbell
from webapp.errors import CloudError
from webapp.gates import SILENT, WATCH, Gate, gate_of
from webapp.leases import LEASE_S, give_up, hold
from webapp.models import ThingRow

LOG = logging.getLogger(__name__)
AT_ONCE = 500
SWEEP_S = 1.0
"""Everything is asked this often even when nothing rang."""


@dataclass(frozen=True)
class Heard:
    """What one look at a thing brought."""

    gate: Gate
    rows: list[Row]
    stream: tuple[int, str] | None
    more: bool = False


class Watcher:
    """Asks the cloud, and writes what is new."""

    def __init__(self, database: Database, chain_id: int, cloud: Cloud, doorbell: Doorbell) -> None:
        """Watch this chain's things."""
        self._database = database
        self._chain_id = chain_id
        self._cloud = cloud
        self._doorbell = doorbell
        self._silent_since: float | None = None
        self._beat = self._swept = 0.0
        self._looked = False

    def run(self, stop: threading.Event, every_s: float) -> None:
        """Watch until told to stop; a cloud that is away makes gates unknown and loses nothing."""
        try:
            while not stop.is_set():
                try:
                    self._turn(stop, every_s)
                except SQLAlchemyError as error:
                    LOG.warning("devices: the database does not answer: %s", type(error).__name__)
                    stop.wait(LEASE_S / 3)
        finally:
            self._doorbell.close()
            with contextlib.suppress(SQLAlchemyError):
                give_up(self._database, WATCH)

    def _turn(self, stop: threading.Event, every_s: float) -> None:
        if not hold(self._database, WATCH):
            self._doorbell.close()  # the holder listens with the same certificate
            stop.wait(LEASE_S / 3)
            return
        self._beat = time.monotonic()
        rang = self._doorbell.wait(min(every_s, SWEEP_S))
        due = time.monotonic() - self._swept >= SWEEP_S
        if due:
            self._doorbell.listen()
            self._swept = time.monotonic()
        if due or rang:
            self.look(None if due else rang)

    def look(self, only: set[str] | None = None) -> None:
        """Look once at all things, or at these."""
        try:
            for thing in self.things():
                if only is None or thing in only:
                    self._take(thing)
                    self._live()
        except CloudError as error:
            self._nobody_answers(str(error))
            return
        if self._silent_since is not None or not self._looked:
            self._answers_again()

    def _answers_again(self) -> None:
        self._looked = True
        if self._silent_since is not None:
            LOG.info("devices: the cloud answers again")
            self._silent_since = None
        with self._database.write("device-events") as session:
            session.execute(delete(Watch).where(Watch.name == SILENT))

    def things(self) -> list[str]:
        """Return what is to be watched."""
        query = select(ThingRow.thing).where(ThingRow.chain_id == self._chain_id, ThingRow.state != "revoked")
        with self._database.read() as session:
            return list(session.scalars(query.order_by(ThingRow.thing)))

    def _live(self) -> None:
        """A long round is a sign of life too."""
        if time.monotonic() - self._beat > LEASE_S / 3:
            hold(self._database, WATCH)
            self._beat = time.monotonic()

    def _take(self, thing: str) -> None:
        more = True
        while more:
            heard = self._hear(thing)
            more = heard.more
            if heard.rows or self._changed(heard.gate):
                self._write(heard)

    def _hear(self, thing: str) -> Heard:
        """Ask for what is new; the newest known event is asked for again, and tells whether it is the same cloud."""
        with self._database.read() as session:
            known = session.get(DeviceStream, thing)
        told = self._cloud.events(thing, max(0, known.cloud_id - 1) if known else 0, AT_ONCE)
        if known and not (told and int(told[0]["id"]) == known.cloud_id and _digest(told[0]) == known.digest):
            told = self._cloud.events(thing, 0, AT_ONCE)  # another cloud, or one that lost its records
        elif known:
            told = told[1:]
        gate = gate_of(thing, self._cloud.shadow(thing), self._cloud.status(thing), time.time())
        rows = [row_of(self._chain_id, thing, event) for event in told]
        stream = (int(told[-1]["id"]), rows[-1]["digest"]) if told else None
        return Heard(gate, rows, stream, more=len(told) >= AT_ONCE - 1)

    def _changed(self, gate: Gate) -> bool:
        with self._database.read() as session:
            row = session.get(GateRow, gate.thing)
        return row is None or any(getattr(row, name) != value for name, value in _columns(gate, row).items())

    def _write(self, heard: Heard) -> None:
        with self._database.write("device-events") as session:
            if heard.rows:
                insert_new(session, heard.rows)
            if heard.stream:
                session.merge(DeviceStream(thing=heard.gate.thing, cloud_id=heard.stream[0], digest=heard.stream[1]))
            _answer_commands(session, heard.rows)
            self._keep(session, heard.gate)

    def _keep(self, session: Session, gate: Gate) -> None:
        row = session.get(GateRow, gate.thing)
        if row is None or row.state != gate.state:
            insert_new(session, [gate_row(self._chain_id, gate, time.time())])
        if row is None:
            row = GateRow(thing=gate.thing, chain_id=self._chain_id, since=gate.since or time.time())
            session.add(row)
        for name, value in _columns(gate, row).items():
            setattr(row, name, value)

    def _nobody_answers(self, why: str) -> None:
        """Every gate is unknown from the first silence on."""
        if self._silent_since is None:
            LOG.warning("devices: %s", why)
            self._silent_since = self._silence_begins()
        with self._database.read() as session:
            rows = list(session.scalars(select(GateRow).where(GateRow.chain_id == self._chain_id)))
        for row in rows:
            words = f"{why} It was {Gate(row.thing, row.state).words} before." if row.state else row.trouble or why
            since = self._silent_since if row.state else row.since
            gate = Gate(row.thing, None, since, None, row.heard_at, row.asked, row.last, row.version, words)
            if self._changed(gate):
                with self._database.write("device-events") as session:
                    self._keep(session, gate)

    def _silence_begins(self) -> float:
        """A watcher before this one may have noticed it already."""
        with self._database.write("device-events") as session:
            row = session.get(Watch, SILENT)
            if row is None:
                row = Watch(name=SILENT, holder="cloud", beat_at=time.time())
                session.add(row)
            return row.beat_at


def _digest(told: dict[str, Any]) -> str:
    event = told.get("event")
    return digest(event if isinstance(event, dict) else {})


def _columns(gate: Gate, row: GateRow | None) -> dict[str, Any]:
    """Return what to keep; an unknown gate is unknown since it became so."""
    columns = {name: value for name, value in asdict(gate).items() if name != "thing"}
    if row is not None and gate.state is None and row.state is None and row.online == gate.online:
        columns["since"] = row.since
    columns["since"] = columns["since"] or time.time()
    return columns


def _answer_commands(session: Session, rows: list[Row]) -> None:
    """Write beside each command what its gate made of it."""
    for row in rows:
        if row["kind"] == "order":
            mine = (CommandRow.id == str(row["body"].get("id")), CommandRow.thing == row["thing"])
            session.execute(update(CommandRow).where(*mine).values(outcome=row["outcome"]))
