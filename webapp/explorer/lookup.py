"""What somebody looks for: a hash, an address, a block's number, a serial number."""

import re
from collections.abc import Sequence

from eth_utils.address import to_checksum_address
from sqlalchemy import select

from webapp.explorer.blocks import find_block
from webapp.models import SaleRow
from webapp.services import Services

HASH = re.compile(r"0x[0-9a-fA-F]{64}")
ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
NUMBER = re.compile(r"\d{1,12}")
SOME = 25


def is_hash(text: str) -> bool:
    """Whether this may be the hash of a block or a transaction."""
    return HASH.fullmatch(text) is not None


def as_address(text: str) -> str | None:
    """Return the address that this text names, in its checksummed form."""
    return str(to_checksum_address(text)) if ADDRESS.fullmatch(text) else None


def looked_for(shop: Services, text: str) -> tuple[str, str] | None:
    """Return the page that shows what this text names, and its key."""
    address = as_address(text)
    if address:
        return "address", address
    if is_hash(text):
        block = find_block(shop.database, shop.chain.chain_id, text)
        return ("block", str(block.number)) if block else ("transaction", text.lower())
    if NUMBER.fullmatch(text) and find_block(shop.database, shop.chain.chain_id, text):
        return "block", str(int(text))
    return None


def sales_numbered(shop: Services, number: str) -> Sequence[SaleRow]:
    """Return the sales of goods with this serial number, newest first."""
    query = select(SaleRow).where(SaleRow.chain_id == shop.chain.chain_id, SaleRow.number == number.replace("\0", ""))
    with shop.database.read() as session:
        return session.scalars(query.order_by(SaleRow.listed_block.desc()).limit(SOME)).all()
