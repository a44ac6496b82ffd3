"""Reads the books of a run folder: journals, gates' logs, the cloud's store, the web application's index."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.e2e.auditor.books import Books, Indexed, Opening, Release, Scan, Shadow, Told
from tests.e2e.auditor.chain import NOBODY, STATUSES, Record, Rpc, read_accounts, read_sales

RELEASES = (
    "SELECT sale, attempt, state, open_before, intent.at FROM release"
    " LEFT JOIN intent USING (chain_id, sale, attempt) ORDER BY started"
)


def read_books(home: Path) -> Books:
    """Everything, while the chain runs and all else is at rest."""
    ready = json.loads((home / "chain" / "ready.json").read_text())
    rpc = Rpc(ready["rpc"][0])
    record = Record.read(rpc)
    sales = read_sales(rpc, record)
    doors = sorted(path.parent for path in (home / "pi").glob("*/journal.sqlite"))
    logs = [line for door in doors for line in _gate_log(door)]
    return Books(
        sales=sales,
        accounts=read_accounts(rpc, record, sales, apart={ready["treasury"], *ready["sealers"], NOBODY}),
        releases=tuple(release for door in doors for release in _releases(door)),
        scans=tuple(scan for door in doors for scan in _scans(door)),
        pulses=tuple({one for what, one in logs if what == "pulse"}),
        openings=tuple({one for what, one in logs if what == "opened"}),
        shadows=tuple(_shadow(home, door) for door in doors),
        indexed=tuple(_indexed(home / "web" / "web.sqlite")),
        told=tuple(_told(home, door) for door in doors),
    )


def rows(path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """What a database of somebody else's says."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        return db.execute(query, values).fetchall()


def _releases(door: Path) -> Iterator[Release]:
    for row in rows(door / "journal.sqlite", RELEASES):
        yield Release(door.name, *row)


def _events(door: Path) -> list[dict[str, Any]]:
    return [json.loads(body) for (body,) in rows(door / "journal.sqlite", "SELECT body FROM event ORDER BY seq")]


def _scans(door: Path) -> Iterator[Scan]:
    for event in _events(door):
        if event["event"] == "scan":
            yield Scan(door.name, event["sale"], event["outcome"], event["says"])


def _gate_log(door: Path) -> Iterator[tuple[str, Opening]]:
    """A line that a crash repeated is the same line."""
    log = door / "gate.log"
    for line in log.read_text().splitlines() if log.exists() else ():
        told = json.loads(line)
        yield told["what"], Opening(door.name, told["number"], told["pulsed_at"])


def _shadow(home: Path, door: Path) -> Shadow:
    query = "SELECT document FROM shadows WHERE thing = ? AND name = ''"
    ((document,),) = rows(home / "cloud" / "data" / "shadows.sqlite", query, door.name)
    state = json.loads(document)["state"]
    desired, reported = state.get("desired") or {}, state.get("reported") or {}
    gate = json.loads((door / "gate.json").read_text())["state"]
    wanted, last = desired.get("release") or {}, reported.get("lastRelease") or {}
    return Shadow(door.name, wanted.get("sale"), last.get("sale"), reported.get("gate"), gate)


def _told(home: Path, door: Path) -> Told:
    """Events by their numbers: what was sent again has the same one."""
    query = "SELECT count(DISTINCT seq) FROM events WHERE thing = ?"
    ((stored,),) = rows(home / "cloud" / "data" / "records.sqlite", query, door.name)
    return Told(door.name, len(_events(door)), stored)


def _indexed(web: Path) -> Iterator[Indexed]:
    for address, status, buyer, attempt in rows(web, "SELECT address, status, buyer, attempt FROM sales"):
        yield Indexed(address, STATUSES[status], buyer or NOBODY, attempt)
