"""Alarms: the facts are gathered, the rules judge, what begins and ends is kept; one process at a time."""

import contextlib
import logging
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
from sqlalchemy import Select, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from webapp.alarm_rules import DeviceFacts, Facts, Lie, Limits, NodeFacts, findings, reconcile, undecided
from webapp.chain import Chain
from webapp.database import Database
from webapp.device_models import AlarmRow, DeviceEvent, GateRow, Watch
from webapp.errors import NodeUnreachable, Refused
from webapp.gates import SILENT
from webapp.leases import LEASE_S, give_up, hold
from webapp.models import DeviceRow, ThingRow, User
from webapp.money import parse_eth
from webapp.node import RpcError
from webapp.settings import Settings, read_json

LOG = logging.getLogger(__name__)
WATCH = "alarms"
LIES = ("call-differs", "fork")
EVERY_S = 2.0
PROBE_S = 1.5


def limits_of(settings: Settings) -> Limits:
    """Return the limits that the settings name; a slow chain is silent for longer."""
    period = float(read_json(settings.home / "chain" / "network.json").get("period_s", 1))
    return Limits(
        device_silent_s=settings.device_silent_s,
        low_balance_wei=parse_eth(settings.low_balance_eth, "low_balance_eth"),
        ends_within_s=settings.certificate_warn_days * 86_400,
        chain_silent_s=max(settings.chain_silent_s, 10 * period),
        node_lag_blocks=settings.node_lag_blocks,
    )


class AlarmKeeper:
    """Looks at everything now and then."""

    def __init__(self, settings: Settings, database: Database, chain: Chain) -> None:
        """Keep the alarms of this chain."""
        self._settings = settings
        self._database = database
        self._chain = chain

    def run(self, stop: threading.Event, every_s: float = EVERY_S) -> None:
        """Look until told to stop."""
        while not stop.wait(max(every_s, EVERY_S)):
            try:
                if hold(self._database, WATCH, lease_s=2 * LEASE_S):
                    self.round()
            except SQLAlchemyError as error:
                LOG.warning("alarms: the database does not answer: %s", type(error).__name__)
        with contextlib.suppress(SQLAlchemyError):
            give_up(self._database, WATCH)

    def round(self) -> None:
        """Look once."""
        self.judge(self.facts())

    def judge(self, facts: Facts) -> None:
        """Keep what the rules say of these facts."""
        found, unknown = findings(facts, limits_of(self._settings)), undecided(facts)
        chain_id = self._chain.chain_id
        with self._database.write("alarms") as session:
            rows = {(row.kind, row.subject): row for row in session.scalars(_standing(chain_id))}
            changes = reconcile(set(rows), found, unknown)
            for finding in changes.begin:
                LOG.warning("alarm: %s", finding.words)
                session.add(
                    AlarmRow(
                        chain_id=chain_id,
                        kind=finding.kind.value,
                        subject=finding.subject[:128],
                        site=finding.site,
                        words=finding.words,
                        began_at=facts.now,
                    )
                )
            for key in changes.end:
                rows[key].ended_at = facts.now
            for finding in changes.say:
                if rows[finding.key].words != finding.words:
                    rows[finding.key].words = finding.words

    def facts(self) -> Facts:
        """Gather what the rules look at."""
        with self._database.read() as session:
            devices = self._devices(session)
            lies = self._lies(session, {device.thing: device.site for device in devices})
            silent_since = _cloud_silence(session)
        nodes = tuple(NodeFacts(url, _head_of(url)) for url in self._settings.rpc_urls)
        return Facts(
            now=time.time(),
            devices=tuple(self._with_balances(devices)),
            nodes=nodes,
            head_at=self._head_at(),
            cloud_silent_since=silent_since,
            lies=tuple(lies),
        )

    def _devices(self, session: Session) -> list[DeviceFacts]:
        mine = (ThingRow.chain_id == self._chain.chain_id, ThingRow.state == "provisioned")
        facts = []
        for thing in session.scalars(select(ThingRow).where(*mine).order_by(ThingRow.thing)):
            gate = session.get(GateRow, thing.thing)
            device = session.get(DeviceRow, (thing.chain_id, thing.device_id or 0))
            unknown = gate.since if gate is not None and gate.state is None else None
            facts.append(
                DeviceFacts(
                    thing=thing.thing,
                    site=thing.site,
                    online=gate.online if gate else None,
                    unknown_since=unknown if gate else float(thing.updated_at),
                    gate=gate.state if gate else None,
                    certificate_until=(thing.steps.get("cloud") or {}).get("not_after"),
                    term_until=device.until if device else None,
                )
            )
        return facts

    def _lies(self, session: Session, sites: dict[str, int]) -> list[Lie]:
        """Return each door's newest report of a lie that nobody took notice of."""
        reports = or_(
            (DeviceEvent.kind == "alarm") & DeviceEvent.outcome.in_(LIES),
            (DeviceEvent.kind == "scan") & (DeviceEvent.outcome == "node-lied"),
        )
        newest = (
            select(AlarmRow.subject, func.max(AlarmRow.acknowledged_at))
            .where(AlarmRow.kind == "node-lied", AlarmRow.acknowledged_at.is_not(None))
            .group_by(AlarmRow.subject)
        )
        noticed = {subject: at or 0 for subject, at in session.execute(newest)}
        query = select(DeviceEvent).where(reports, DeviceEvent.thing.in_(sites)).order_by(DeviceEvent.id.desc())
        found: dict[str, Lie] = {}
        for event in session.scalars(query.limit(500)):
            if event.received_at > noticed.get(event.thing, 0):
                said = event.reason or event.outcome
                found.setdefault(event.thing, Lie(event.thing, sites[event.thing], said))
        return list(found.values())

    def _with_balances(self, devices: Sequence[DeviceFacts]) -> list[DeviceFacts]:
        with self._database.read() as session:
            query = select(ThingRow.thing, ThingRow.steps).where(ThingRow.chain_id == self._chain.chain_id)
            addresses = {thing: steps.get("device") for thing, steps in session.execute(query)}
        asked = [device for device in devices if addresses.get(device.thing)]
        try:
            calls = [("eth_getBalance", [addresses[device.thing], "latest"]) for device in asked]
            answers = self._chain.node.batch(calls)
        except (NodeUnreachable, RpcError):
            return list(devices)
        told = dict(zip([device.thing for device in asked], answers, strict=True))
        return [
            replace(device, balance_wei=_wei(told.get(device.thing))) if device.thing in told else device
            for device in devices
        ]

    def _head_at(self) -> float | None:
        try:
            return float(self._chain.head().timestamp)
        except (NodeUnreachable, RpcError):
            return None


def acknowledge(database: Database, alarm_id: int, user: User, note: str, sites: Sequence[int] | None) -> AlarmRow:
    """Write down who took notice, when, and what they say; what lasts until then ends.

    Raises:
        Refused: there is no such alarm for this person, or somebody took notice before.
    """
    with database.write("alarms") as session:
        row = session.get(AlarmRow, alarm_id)
        if row is None or (sites is not None and row.site is not None and row.site not in sites):
            raise Refused("There is no such alarm.")
        if row.acknowledged_at is not None:
            raise Refused("Somebody has taken notice of this alarm already. Nothing was changed.")
        row.acknowledged_by, row.acknowledged_at, row.note = user.id, math.ceil(time.time()), note[:256]
        if row.kind == "node-lied":
            row.ended_at = row.ended_at or time.time()
        return row


def standing(database: Database, chain_id: int, sites: Sequence[int] | None) -> list[AlarmRow]:
    """Return what stands open for somebody with these sites (`None`: all), newest first."""
    query = _for_sites(_standing(chain_id), sites)
    with database.read() as session:
        return list(session.scalars(query.order_by(AlarmRow.began_at.desc()).limit(200)))


def ended(database: Database, chain_id: int, sites: Sequence[int] | None, before: int = 0) -> list[AlarmRow]:
    """Return what was, newest first; `before` is the place of a page."""
    query = select(AlarmRow).where(AlarmRow.chain_id == chain_id, AlarmRow.ended_at.is_not(None))
    if before:
        query = query.where(AlarmRow.id < before)
    with database.read() as session:
        return list(session.scalars(_for_sites(query, sites).order_by(AlarmRow.id.desc()).limit(51)))


def _standing(chain_id: int) -> Select[AlarmRow]:
    return select(AlarmRow).where(AlarmRow.chain_id == chain_id, AlarmRow.ended_at.is_(None))


def _for_sites(query: Select[AlarmRow], sites: Sequence[int] | None) -> Select[AlarmRow]:
    return query if sites is None else query.where(or_(AlarmRow.site.is_(None), AlarmRow.site.in_(sites)))


def _cloud_silence(session: Session) -> float | None:
    """Return since when the cloud does not answer; `None` while it does."""
    row = session.get(Watch, SILENT)
    return row.beat_at if row is not None else None


def _head_of(url: str) -> int | None:
    """Ask one node by itself, so that each has its own answer."""
    question = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
    try:
        said: Any = httpx.post(url, json=question, timeout=PROBE_S).json()
        return int(said["result"], 16)
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None


def _wei(answer: Any) -> int | None:
    return int(answer, 16) if isinstance(answer, str) else None
