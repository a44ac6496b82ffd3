"""Figures for sellers and operators: sales, income, time to collection, refusals, faults; with charts, and as CSV."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, render_template, request

from webapp.access import only, the_user
from webapp.counting import Counted, Scope, count
from webapp.log_words import SCANS
from webapp.money import plain_eth
from webapp.pages.release_log import plain
from webapp.people import Role
from webapp.premises import LOOKERS, sites_of, things_at
from webapp.services import services

bp = Blueprint("analytics", __name__, url_prefix="/analytics")
Table = tuple[tuple[str, ...], Sequence[tuple[Any, ...]]]
RANGES = {"7": "a week", "30": "a month", "90": "three months", "365": "a year"}


@bp.get("")
@only(*LOOKERS, Role.SELLER)
def show() -> str:
    """Show the figures."""
    days, counted = _asked()
    rows = counted.chain.days
    seconds = [int(datetime(row.day.year, row.day.month, row.day.day, tzinfo=UTC).timestamp()) for row in rows]
    return render_template(
        "analytics/figures.html",
        days=days,
        ranges=RANGES,
        counted=counted,
        totals=counted.chain.totals,
        median=counted.chain.quantile(0.5),
        slow=counted.chain.quantile(0.9),
        sales=[seconds, [row.sold for row in rows], [row.collected for row in rows], [row.refunded for row in rows]],
        income=[seconds, [round(row.income_wei / 1e18, 6) for row in rows]],
        reasons=SCANS,
        warehouse=the_user().role in LOOKERS,
    )


@bp.get("/<table>.csv")
@only(*LOOKERS, Role.SELLER)
def as_csv(table: str) -> Response:
    """Give one table of figures."""
    if table not in TABLES:
        abort(404)
    header, rows = TABLES[table](_asked()[1])
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([plain(cell) for cell in row] for row in rows)
    answer = Response(out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="lading-{table}.csv"'
    return answer


def _asked() -> tuple[str, Counted]:
    days = request.args.get("days", "30")
    days = days if days in RANGES else "30"
    until = datetime.now(UTC).date()
    return days, count(services().database, _scope(), until - timedelta(days=int(days) - 1), until)


def _scope() -> Scope:
    user, chain_id = the_user(), services().chain.chain_id
    if user.role == Role.SELLER:
        return Scope(chain_id, seller=user.address)
    sites = sites_of(user)
    things = [row.thing for row in things_at(sites)]
    return Scope(chain_id, sites=[site.id for site in sites] if user.role == Role.OPERATOR else None, things=things)


def _days(counted: Counted) -> Table:
    names = ("day", "listed", "sold", "collected", "refunded", "withdrawn", "income_eth")
    rows = counted.chain.days
    return names, [
        (_iso(row.day), row.listed, row.sold, row.collected, row.refunded, row.withdrawn, plain_eth(row.income_wei))
        for row in rows
    ]


def _iso(day: date) -> str:
    return day.isoformat()


def _collection(counted: Counted) -> Table:
    return ("seconds",), [(seconds,) for seconds in counted.chain.collection_s]


def _refusals(counted: Counted) -> Table:
    return ("reason", "count"), counted.refusals


def _faults(counted: Counted) -> Table:
    return ("gate", "fault", "count"), counted.faults


TABLES: dict[str, Callable[[Counted], Table]] = {
    "days": _days,
    "collection": _collection,
    "refusals": _refusals,
    "faults": _faults,
}
