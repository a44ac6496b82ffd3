"""From a seller's form to the call that lists the goods."""

from sqlalchemy import func, select

from contracts.factory import Listing
from contracts.terms import sale_address
from webapp.forms.listing import ListingForm
from webapp.models import SaleRow, Transaction, User
from webapp.outbox import OPEN, Planned
from webapp.services import Services


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
    same = (
        SaleRow.seller == seller,
        SaleRow.make == listing.make,
        SaleRow.model == listing.model,
        SaleRow.number == listing.number,
        SaleRow.year == listing.year,
    )
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
    from dataclasses import replace

    terms = replace(listing, edition=edition).terms(seller)
    return str(sale_address(deployment.factory, deployment.implementation, terms))  # type: ignore[attr-defined]
