"""From a seller's form or file to the calls that list the goods."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func, select, tuple_

from contracts.calls import Call
from contracts.factory import Listing
from contracts.terms import sale_address
from webapp.batch import PER_TRANSACTION
from webapp.forms.listing import ListingForm
from webapp.models import SaleRow, Transaction, User
from webapp.outbox import OPEN, Planned
from webapp.services import Services

GOODS = ("make", "model", "number", "year")
"""What tells goods apart; the same goods listed again are another edition."""
_COLUMNS = tuple(getattr(SaleRow, name) for name in GOODS)


def planned_listing(shop: Services, user: User, form: ListingForm) -> Planned:
    """Return the call for what the form says, at the first edition that is free."""
    first = form.listing()
    return plan_of(shop, user, form.listing(free_edition(shop, user.address, first)))


def plan_of(shop: Services, user: User, listing: Listing) -> Planned:
    """Return the call that lists these goods; the sale's address is known beforehand."""
    deployment = shop.chain.deployments[-1]
    address = sale_address(deployment.factory, deployment.implementation, listing.terms(user.address))
    details = {"title": f"{listing.make} {listing.model}", "sale": address, "price_wei": str(listing.price_wei)}
    return Planned(shop.chain.factory.create_sale(listing), "list", address, details)


def free_edition(shop: Services, seller: str, listing: Listing) -> int:
    """Return the lowest edition of these goods that this seller has not listed and is not listing."""
    same = (SaleRow.seller == seller, tuple_(*_COLUMNS) == _goods(listing))
    under_way = (Transaction.sender == seller, Transaction.purpose == "list", Transaction.state.in_(OPEN))
    with shop.database.read() as session:
        listed = session.scalar(select(func.max(SaleRow.edition)).where(*same))
        edition = 0 if listed is None else listed + 1
        pending = set(session.scalars(select(Transaction.subject).where(*under_way)))
    deployment = shop.chain.deployments[-1]
    while _address(deployment, seller, listing, edition) in pending:
        edition += 1
    return edition


def _address(deployment: object, seller: str, listing: Listing, edition: int) -> str:
    terms = replace(listing, edition=edition).terms(seller)
    return str(sale_address(deployment.factory, deployment.implementation, terms))  # type: ignore[attr-defined]


def plans_of(shop: Services, seller: str, listings: Sequence[Listing]) -> list[Planned]:
    """Return the calls that list these goods, many a transaction, at editions that are free."""
    taken = _highest_editions(shop, seller)
    fresh = [replace(one, edition=one.edition + taken.get(_goods(one), -1) + 1) for one in listings]
    starts = range(0, len(fresh), PER_TRANSACTION)
    some = [(start, fresh[start : start + PER_TRANSACTION]) for start in starts]
    return [planned_batch(shop.chain.factory.create_sales(listings), start, len(listings)) for start, listings in some]


def planned_batch(call: Call, first: int, count: int) -> Planned:
    """Return a call that lists `count` items of a file, beginning after the first `first`."""
    details = {"title": f"{count} items from a file", "count": count}
    return Planned(call, "batch", f"items {first + 1} to {first + count}", details)


def _goods(listing: Listing) -> tuple[str | int, ...]:
    return tuple(getattr(listing, name) for name in GOODS)


def _highest_editions(shop: Services, seller: str) -> dict[tuple[str | int, ...], int]:
    query = select(*_COLUMNS, func.max(SaleRow.edition)).where(SaleRow.seller == seller).group_by(*_COLUMNS)
    with shop.database.read() as db:
        return {tuple(goods): top for *goods, top in db.execute(query)}
