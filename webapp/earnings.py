"""What a seller has earned: sums of all sales, and income over time, whatever the number of sales."""

from dataclasses import dataclass

from sqlalchemy import func, select

from contracts.sale import Status
from webapp.database import Database
from webapp.models import SaleRow
from webapp.money import WEI

POINTS = 400
"""A chart's line has no more of them."""
WAITING = (Status.SOLD, Status.RELEASING)


@dataclass(frozen=True)
class Earnings:
    """Counts and wei of one seller."""

    count: int
    open: int
    collect: int
    income: int
    held: int


def earnings_of(database: Database, chain_id: int, seller: str) -> Earnings:
    """Return the sums: counted by price, so that a large shop costs no more than its number of prices."""
    kinds = (SaleRow.status, SaleRow.window_s > 0, SaleRow.price_wei)
    query = select(*kinds, func.count()).where(SaleRow.chain_id == chain_id, SaleRow.seller == seller).group_by(*kinds)
    with database.read() as session:
        found = [(Status(status), escrow, price, count) for status, escrow, price, count in session.execute(query)]
    return Earnings(
        count=sum(count for *_, count in found),
        open=sum(count for status, *_, count in found if status == Status.LISTED),
        collect=sum(count for status, *_, count in found if status in WAITING),
        income=sum(price * count for status, escrow, price, count in found if _earned(status, escrow)),
        held=sum(price * count for status, escrow, price, count in found if escrow and status in WAITING),
    )


def income_over_time(database: Database, chain_id: int, seller: str) -> list[list[float]]:
    """Return the income added up, for the chart: seconds and ETH."""
    earned = (SaleRow.status == Status.RELEASED) | ((SaleRow.window_s == 0) & SaleRow.status.in_(WAITING))
    query = select(SaleRow.sold_at, SaleRow.price_wei).where(SaleRow.chain_id == chain_id, SaleRow.seller == seller)
    with database.read() as session:
        points = session.execute(query.where(earned).order_by(SaleRow.sold_at)).all()
    times, sums, total = [], [], 0
    for at, price in points:
        total += price
        times.append(float(at or 0))
        sums.append(total / WEI)
    step = -(-len(times) // POINTS) or 1
    # Counted from the end: the newest sum is always in.
    return [times[::-step][::-1], sums[::-step][::-1]]


def _earned(status: Status, escrow: bool) -> bool:
    return status == Status.RELEASED or (not escrow and status in WAITING)
