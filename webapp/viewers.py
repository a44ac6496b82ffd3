"""Who looks, and what of a sale or a gate that person may see."""

from dataclasses import dataclass, field

from sqlalchemy import select

from webapp.database import Database
from webapp.models import SaleRow, SiteRow, User
from webapp.people import Role


@dataclass(frozen=True)
class Parties:
    """Whom a sale concerns."""

    seller: str
    buyer: str | None
    site: int
    sale: str = ""


@dataclass(frozen=True)
class Viewer:
    """What decides about seeing: fixed for as long as one request, or one stream, lasts."""

    address: str | None = None
    role: str | None = None
    sites: frozenset[int] = frozenset()
    """The sites that this operator runs."""
    read: set[str] = field(default_factory=set, compare=False)
    """Sales of which this person saw the buyer, not being it: reads that are written down."""

    @property
    def sees_all(self) -> bool:
        """Whether nothing is hidden: auditors and admins."""
        return self.role in (Role.AUDITOR, Role.ADMIN)

    def sees_buyer(self, parties: Parties | None) -> bool:
        """Whether this person may know who bought: the buyer, the seller, the site's operator, auditors, admins."""
        if parties is None or self.address is None:
            return self.sees_all
        if self.address == parties.buyer:
            return True
        looks = self.address == parties.seller or self.sees_all or parties.site in self.sites
        if looks and parties.buyer:
            self.read.add(parties.sale)
        return looks

    def sees_site(self, site: int | None) -> bool:
        """Whether this person may watch a site's gates."""
        return self.sees_all or site in self.sites


def viewer_of(database: Database, chain_id: int, user: User | None) -> Viewer:
    """Return how this person looks."""
    if user is None:
        return Viewer()
    if user.role != Role.OPERATOR:
        return Viewer(user.address, user.role)
    query = select(SiteRow.id).where(SiteRow.chain_id == chain_id, SiteRow.operator == user.address)
    with database.read() as session:
        return Viewer(user.address, user.role, frozenset(session.scalars(query)))


def parties_of(sale: SaleRow) -> Parties:
    """Return whom this sale concerns."""
    return Parties(sale.seller, sale.buyer, sale.site, sale.address)
