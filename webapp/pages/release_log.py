"""The log of all gates: searched by gate, kind, sale, outcome, words and time; paged, and as CSV."""

import csv
import io
from datetime import UTC, datetime

from flask import Blueprint, Response, render_template, request

from webapp.access import audit, only
from webapp.device_log import KINDS, LogSearch, find_events
from webapp.device_models import DeviceEvent
from webapp.log_words import RELEASES, SCANS, words_of
from webapp.premises import LOOKERS, my_things
from webapp.services import services

bp = Blueprint("release_log", __name__, url_prefix="/warehouse")
CSV_ROWS = 10_000
COLUMNS = ("id", "time", "gate", "kind", "outcome", "words", "sale", "attempt", "reason")


@bp.get("/log")
@only(*LOOKERS)
def show() -> str:
    """Show one page of the log."""
    things, search = [row.thing for row in my_things()], LogSearch.of(request.args)
    page = find_events(services().database, things, search)
    outcomes = {**SCANS, **RELEASES}
    return render_template(
        "warehouse/log.html", page=page, search=search, things=things, kinds=KINDS, outcomes=outcomes
    )


@bp.get("/log.csv")
@only(*LOOKERS)
def as_csv() -> Response:
    """Give the rows of a search, newest first."""
    things, search = [row.thing for row in my_things()], LogSearch.of(request.args)
    page = find_events(services().database, things, search, CSV_ROWS)
    audit("log-csv", ",".join(things), search.url())
    answer = Response(_csv(page.rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="lading-log.csv"'
    return answer


def _csv(rows: list[DeviceEvent]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        at = datetime.fromtimestamp(row.at, UTC).isoformat(timespec="milliseconds")
        cells = (row.id, at, row.thing, row.kind, row.outcome, words_of(row), row.sale, row.attempt, row.reason)
        writer.writerow([plain(cell) for cell in cells])
    return out.getvalue()


def plain(cell: object) -> str:
    """Return a cell that no spreadsheet takes for a formula: a device may have told anything."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
