"""Queries over the index for lists: never more than a handful, whatever the size."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from contracts.sale import Status
from webapp.database import Database
from webapp.models import OperatorRow, SaleRow, SiteRow, User

PAGE = 24
OWN_PAGE = 50
"""Rows a page of one's own sales and orders."""
COUNT_TO = 1_000
"""Counting further than people read would cost every page view."""

_STANDS = (SiteRow.id == SaleRow.site) & (SiteRow.chain_id == SaleRow.chain_id)
_RUNS = (OperatorRow.address == SiteRow.operator) & (OperatorRow.chain_id == SiteRow.chain_id)

# Each is the order of one index, forwards or backwards: nothing is sorted.
SORTS = {
    "new": ("Newest first", (SaleRow.listed_block.desc(), SaleRow.address.desc())),
    "old": ("Oldest first", (SaleRow.listed_block, SaleRow.address)),
    "cheap": ("Lowest price", (SaleRow.price_wei, SaleRow.address)),
    "dear": ("Highest price", (SaleRow.price_wei.desc(), SaleRow.address.desc())),
}


@dataclass(frozen=True)
class Search:
    """What someone looks for."""

    words: str = ""
    site: int = 0
    sort: str = "new"
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Search":
        """Read a query string; what makes no sense counts as not given."""
        sort = query.get("sort", "new")
        return cls(
            words=query.get("q", "").strip()[:80],
            site=_number(query.get("site")),
            sort=sort if sort in SORTS else "new",
            page=min(max(_number(query.get("page")), 1), 100_000),
        )

    def url(self, page: int) -> str:
        """Return the query string of another page of the same search."""
        wanted = {
            "q": self.words,
            "site": self.site or "",
            "sort": self.sort if self.sort != "new" else "",
            "page": page,
        }
        return "?" + urlencode({key: value for key, value in wanted.items() if value not in ("", 1)})

    @property
    def narrow(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.words or self.site)

    def on(self, page: int) -> "Search":
        """Return the same search on another page."""
        return replace(self, page=page)


@dataclass(frozen=True)
class Page:
    """One page of sales."""

    rows: list[SaleRow]
    count: int
    more_than_counted: bool
    number: int

    @property
    def last(self) -> int:
        """The last page's number."""
        return max(1, -(-self.count // PAGE))


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def find_sales(database: Database, chain_id: int, search: Search) -> Page:
    """Return one page of what is for sale: one walk along an index that holds all it needs, then the page's rows."""
    query = _filtered(select(SaleRow.address), chain_id, search).order_by(*SORTS[search.sort][1])
    first = (search.page - 1) * PAGE
    with database.read() as session:
        if first >= COUNT_TO:
            deep = list(session.scalars(query.offset(first).limit(PAGE)))
            return Page(_rows(session, chain_id, deep), COUNT_TO, True, search.page)
        seen = list(session.scalars(query.limit(max(COUNT_TO + 1, first + PAGE))))
        rows = _rows(session, chain_id, seen[first : first + PAGE])
    return Page(rows, min(len(seen), COUNT_TO), len(seen) > COUNT_TO, search.page)


def _rows(session: Session, chain_id: int, addresses: list[str]) -> list[SaleRow]:
    query = select(SaleRow).where(SaleRow.chain_id == chain_id, SaleRow.address.in_(addresses))
    by_address = {row.address: row for row in session.scalars(query)}
    return [by_address[address] for address in addresses]


def _filtered(query: Select[Any], chain_id: int, search: Search) -> Select[Any]:
    query = query.where(SaleRow.status == int(Status.LISTED), SaleRow.chain_id == chain_id)
    if search.site:
        query = query.where(SaleRow.site == search.site)
    for word in search.words.lower().split()[:6]:
        query = query.where(SaleRow.search.contains(word, autoescape=True))
    return query


def sales_of(database: Database, chain_id: int, *, seller: str = "", buyer: str = "", page: int = 1) -> list[SaleRow]:
    """Return a page of what someone listed or bought, newest first."""
    mine = SaleRow.seller == seller if seller else SaleRow.buyer == buyer
    query = select(SaleRow).where(SaleRow.chain_id == chain_id, mine)
    newest = query.order_by(SaleRow.listed_block.desc(), SaleRow.address).limit(OWN_PAGE).offset((page - 1) * OWN_PAGE)
    with database.read() as session:
        return list(session.scalars(newest))


def bought_by(database: Database, chain_id: int, buyer: str) -> int:
    """Return how many sales somebody bought."""
    query = select(func.count()).select_from(SaleRow).where(SaleRow.chain_id == chain_id, SaleRow.buyer == buyer)
    with database.read() as session:
        return session.scalar(query) or 0


def own_pages(asked: str | None, count: int) -> tuple[int, int]:
    """Return the page that an address asks for and the last one, of so many rows of one's own."""
    last = max(1, -(-count // OWN_PAGE))
    return max(1, min(_number(asked), last)), last


def sites_and_operators(database: Database, chain_id: int) -> list[tuple[SiteRow, OperatorRow | None]]:
    """Return all sites with their operators."""
    query = select(SiteRow, OperatorRow).join(OperatorRow, _RUNS, isouter=True).where(SiteRow.chain_id == chain_id)
    with database.read() as session:
        return [(site, operator) for site, operator in session.execute(query.order_by(SiteRow.id))]


def takes_goods(site: SiteRow, operator: OperatorRow | None) -> bool:
    """Whether new listings may name this site."""
    return site.open and (operator is None or operator.listed)


def open_sites(database: Database, chain_id: int) -> list[tuple[SiteRow, OperatorRow | None]]:
    """Return the sites that take new listings, with their operators."""
    return [pair for pair in sites_and_operators(database, chain_id) if takes_goods(*pair)]


def site_and_operator(database: Database, chain_id: int, site_id: int) -> tuple[SiteRow | None, OperatorRow | None]:
    """Return a site and who runs it."""
    query = select(SiteRow, OperatorRow).join(OperatorRow, _RUNS, isouter=True)
    with database.read() as session:
        found = session.execute(query.where(SiteRow.chain_id == chain_id, SiteRow.id == site_id)).one_or_none()
    return (found[0], found[1]) if found else (None, None)


def who_sells_where(database: Database, sale: SaleRow) -> tuple[User | None, SiteRow | None, OperatorRow | None]:
    """Return a sale's seller, its site and who runs the site, in one query."""
    query = select(User, SiteRow, OperatorRow).select_from(SaleRow).join(SiteRow, _STANDS, isouter=True)
    query = query.join(OperatorRow, _RUNS, isouter=True).join(User, User.address == SaleRow.seller, isouter=True)
    with database.read() as session:
        this = (SaleRow.chain_id == sale.chain_id, SaleRow.address == sale.address)
        found = session.execute(query.where(*this)).one_or_none()
    return (found[0], found[1], found[2]) if found else (None, None, None)
