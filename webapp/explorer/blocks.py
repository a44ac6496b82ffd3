"""Blocks: a page of them, one of them."""

from collections.abc import Sequence

from sqlalchemy import select

from webapp.cursors import Slice
from webapp.database import Database
from webapp.explorer.eyes import Eyes
from webapp.ledger_models import LedgerBlock


def page_of_blocks(eyes: Eyes, page: Slice) -> Sequence[LedgerBlock]:
    """Return blocks below the cursor, newest first; one more than the limit where there are more."""
    query = select(LedgerBlock).where(LedgerBlock.chain_id == eyes.chain_id)
    if page.cursor:
        query = query.where(LedgerBlock.number < page.cursor[0])
    with eyes.database.read() as session:
        return session.scalars(query.order_by(LedgerBlock.number.desc()).limit(page.limit + 1)).all()


def find_block(database: Database, chain_id: int, key: str) -> LedgerBlock | None:
    """Return a block by number or hash."""
    query = select(LedgerBlock).where(LedgerBlock.chain_id == chain_id)
    number = key.isascii() and key.isdigit() and len(key) < 16
    query = query.where(LedgerBlock.number == int(key) if number else LedgerBlock.hash == key.lower())
    with database.read() as session:
        return session.scalar(query)
