"""`lading-pi journal`: read while the Pi runs, or when it does not."""

import argparse
import json
import time

from iot_client.__main__ import settings_of
from iot_client.journal import Journal, Record


def run(arguments: argparse.Namespace) -> int:
    """Print scans and releases."""
    settings = settings_of(arguments)
    journal = Journal(settings.folder / "journal.sqlite", read_only=True)
    try:
        if arguments.json:
            print(json.dumps(_document(journal, arguments)))
        elif arguments.sale:
            _print_releases(journal, arguments.sale)
        else:
            _print_scans(journal, arguments.last)
    finally:
        journal.close()
    return 0


def _document(journal: Journal, arguments: argparse.Namespace) -> dict[str, object]:
    names = ("at", "scanner", "name", "remote", "sale", "outcome", "detail", "ms")
    return {
        "scans": [dict(zip(names, row, strict=True)) for row in journal.scans(arguments.last)],
        "releases": [release_document(journal, record) for record in journal.releases(arguments.sale)],
    }


def release_document(journal: Journal, record: Record) -> dict[str, object]:
    """A release with its steps, for programs."""
    steps = [dict(zip(("at", "state", "event", "detail"), step, strict=True)) for step in journal.steps(record.key)]
    return {
        "chain_id": record.key.chain_id, "sale": record.key.sale, "attempt": record.key.attempt,
        "state": record.state, "buyer": record.buyer, "local": record.local, "open_before": record.open_before,
        "started": record.started, "marks": record.marks, "intended": journal.has_intent(record.key), "steps": steps,
    }  # fmt: skip


def _print_scans(journal: Journal, last: int) -> None:
    for at, scanner, name, remote, sale, outcome, detail, ms in journal.scans(last):
        where = f"{scanner}{' (remote)' if remote else ''}"
        more = f" ({detail})" if detail else ""
        print(f"{_time(at)}  {where:15} {outcome}{more}  {sale or '-'}  {ms:.0f} ms  {name}")
    for record in journal.unfinished():
        print(f"{_time(record.updated)}  unfinished: {record.key.sale} attempt {record.key.attempt} is {record.state}")


def _print_releases(journal: Journal, sale: str) -> None:
    for record in journal.releases(sale):
        print(f"{record.key.sale} attempt {record.key.attempt}: {record.state}")
        for at, state, event, detail in journal.steps(record.key):
            print(f"  {_time(at)}  {state:10} {event} {detail}")


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
