"""The explorer for programs: blocks, transactions, addresses, events of the chain."""

from collections.abc import Sequence
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested, String

from webapp.api.operation import PageQuery, ShortQuery, nothing, operation, page_of
from webapp.api.sales import EventOut, EventsOut
from webapp.cursors import write_cursor
from webapp.explorer.addresses import describe, events_about
from webapp.explorer.blocks import find_block, page_of_blocks
from webapp.explorer.events import page_of_events
from webapp.explorer.lookup import as_address, is_hash
from webapp.explorer.transactions import (
    TransactionView,
    find_transaction,
    page_of_address,
    page_of_transactions,
)
from webapp.looking import eyes, viewer
from webapp.services import services


class BlockOut(Schema):
    """A block, and who sealed it."""

    chain_id = Integer(required=True)
    number = Integer(required=True)
    hash = String(required=True)
    parent_hash = String(required=True)
    timestamp = Integer(required=True)
    sealer = String(required=True)
    gas_used = Integer(required=True)
    gas_limit = Integer(required=True)
    count = Integer(required=True)


class OneBlockOut(BlockOut):
    """A block by itself."""


class BlocksOut(Schema):
    """Some blocks, newest first; `next` is the cursor of the next page."""

    blocks = List(Nested(BlockOut), required=True)
    next = String(required=True, allow_none=True)


class TransactionOut(Schema):
    """A transaction, its call decoded; signatures are never told.

    `sender` and `nonce` are null where they would name a buyer to a stranger; `hidden` names arguments left out.
    """

    hash = String(required=True)
    block = Integer(required=True)
    position = Integer(required=True)
    timestamp = Integer(required=True)
    sender = String(required=True, allow_none=True)
    nonce = Integer(required=True, allow_none=True)
    recipient = String(required=True, allow_none=True)
    created = String(required=True, allow_none=True)
    value_wei = String(required=True)
    gas_limit = Integer(required=True)
    gas_used = Integer(required=True)
    succeeded = Boolean(required=True)
    sale = String(required=True, allow_none=True)
    call = String(required=True)
    args = Dict(required=True)
    hidden = List(String(), required=True)


class TransactionsOut(Schema):
    """Some transactions, newest first; `next` is the cursor of the next page."""

    transactions = List(Nested(TransactionOut), required=True)
    next = String(required=True, allow_none=True)


class OneTransactionOut(TransactionOut):
    """A transaction with its events, and the contract's own reason if it was refused."""

    block_hash = String(required=True)
    reason = String(required=True)
    events = List(Nested(EventOut), required=True)


class AddressOut(Schema):
    """What stands at an address, or who it is; `balance_wei` is null where it is not for you to see."""

    address = String(required=True)
    kinds = List(String(), required=True)
    name = String(required=True, allow_none=True)
    device = Integer(required=True, allow_none=True)
    site = Integer(required=True, allow_none=True)
    balance_wei = String(required=True, allow_none=True)


@operation("/blocks", "Blocks", output=BlocksOut, query=ShortQuery)
def blocks(query: dict[str, Any]) -> dict[str, Any]:
    """List blocks, newest first."""
    asked = page_of(query, 1)
    found = page_of_blocks(eyes(), asked)
    page = found[: asked.limit]
    return {"blocks": page, "next": write_cursor(page[-1].number) if len(found) > len(page) else None}


@operation("/blocks/<key>", "One block", output=OneBlockOut)
def block(key: str) -> Any:
    """Tell a block, by number or hash."""
    found = find_block(services().database, services().chain.chain_id, key.replace("\0", ""))
    if found is None:
        raise nothing("block")
    return found


@operation("/transactions", "Transactions", output=TransactionsOut, query=PageQuery)
def transactions(query: dict[str, Any]) -> dict[str, Any]:
    """List mined transactions, newest first."""
    asked = page_of(query, 2)
    return _page(page_of_transactions(eyes(), asked), asked.limit)


@operation("/blocks/<key>/transactions", "A block's transactions", output=TransactionsOut, query=PageQuery)
def block_transactions(key: str, query: dict[str, Any]) -> dict[str, Any]:
    """List the transactions of one block, the last one first."""
    asked, found = page_of(query, 2), find_block(services().database, services().chain.chain_id, key.replace("\0", ""))
    if found is None:
        raise nothing("block")
    return _page(page_of_transactions(eyes(), asked, found.number), asked.limit)


@operation("/transactions/<hash_>", "One transaction", output=OneTransactionOut)
def transaction(hash_: str) -> Any:
    """Tell a mined transaction by its hash."""
    found = find_transaction(eyes(), hash_) if is_hash(hash_) else None
    if found is None:
        raise nothing("transaction")
    more = {"block_hash": found.block_hash, "reason": found.reason, "events": found.events}
    return {**vars(found.facts), **more}


@operation("/addresses/<address>", "One address", output=AddressOut)
def address(address: str) -> Any:
    """Tell what stands at an address, or who it is."""
    shop = services()
    view = describe(shop, viewer(), _address(address))
    balance = None if view.buyer_hidden else str(shop.chain.balance(view.address))
    return {**vars(view), "balance_wei": balance}


@operation("/addresses/<address>/transactions", "An address's transactions", output=TransactionsOut, query=PageQuery)
def address_transactions(address: str, query: dict[str, Any]) -> dict[str, Any]:
    """List what an address sent or got, newest first; purchases that are not yours to see are left out."""
    asked = page_of(query, 2)
    return _page(page_of_address(eyes(), asked, _address(address)), asked.limit)


@operation("/addresses/<address>/events", "An address's events", output=EventsOut, query=PageQuery)
def address_events(address: str, query: dict[str, Any]) -> dict[str, Any]:
    """List the events of a contract of ours, or about an operator or a device, newest first."""
    asked = page_of(query, 2)
    about = events_about(describe(services(), viewer(), _address(address)))
    if about is None:
        return {"events": [], "next": None}
    return _events(page_of_events(eyes(), asked, about), asked.limit)


@operation("/log", "Events of the chain", output=EventsOut, query=PageQuery)
def log(query: dict[str, Any]) -> dict[str, Any]:
    """List every event of the project's contracts, newest first. `/events` pushes them."""
    asked = page_of(query, 2)
    return _events(page_of_events(eyes(), asked), asked.limit)


def _address(text: str) -> str:
    found = as_address(text)
    if found is None:
        raise nothing("address")
    return found


def _page(rows: Sequence[TransactionView], limit: int) -> dict[str, Any]:
    page = rows[:limit]
    following = write_cursor(page[-1].block, page[-1].position) if len(rows) > limit else None
    return {"transactions": page, "next": following}


def _events(rows: Sequence[Any], limit: int) -> dict[str, Any]:
    page = rows[:limit]
    following = write_cursor(page[-1].block, page[-1].log_index) if len(rows) > limit else None
    return {"events": page, "next": following}
