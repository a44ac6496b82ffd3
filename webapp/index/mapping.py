"""From logs to rows. Pure: the rows of an entity are the fold of its entries, in the chain's order."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

from contracts.sale import Status
from contracts.terms import Terms, decode_terms

Row = dict[str, Any]

_TERMS = [field.name for field in fields(Terms)]

SALE, OPERATOR, SITE, DEVICE = "sale", "operator", "site", "device"


@dataclass(frozen=True)
class Entry:
    """One decoded log of ours; `args` hold what JSON can hold."""

    chain_id: int
    block: int
    log_index: int
    block_hash: str
    tx_hash: str
    timestamp: int
    address: str
    name: str
    args: dict[str, Any]

    @property
    def entity(self) -> str:
        """Whom it is about, such as `sale:0x…` or `site:3`."""
        kind, key = _KIND_OF[self.name]
        return f"{kind}:{self.args[key] if key else self.address}"


_KIND_OF: dict[str, tuple[str, str]] = {
    "Listed": (SALE, "sale"),
    "Sold": (SALE, ""),
    "Revoked": (SALE, ""),
    "Releasing": (SALE, ""),
    "Aborted": (SALE, ""),
    "Released": (SALE, ""),
    "Cancelled": (SALE, ""),
    "Refunded": (SALE, ""),
    "Undelivered": (SALE, ""),
    "Withdrawn": (SALE, ""),
    "OperatorListed": (OPERATOR, "operator"),
    "OperatorDelisted": (OPERATOR, "operator"),
    "SiteOpened": (SITE, "site"),
    "SiteClosed": (SITE, "site"),
    "Provisioned": (DEVICE, "id"),
    "Rotated": (DEVICE, "id"),
    "Decommissioned": (DEVICE, "id"),
}


def known(name: str) -> bool:
    """Whether entries of this name make rows."""
    return name in _KIND_OF


def kind_of(entity: str) -> str:
    """Return `sale`, `operator`, `site` or `device`."""
    return entity.partition(":")[0]


def fold(row: Row | None, entries: Iterable[Entry]) -> Row | None:
    """Return the row after these entries; `None` while the entity does not exist."""
    for entry in entries:
        row = _step(row, entry)
    return row


def _step(row: Row | None, entry: Entry) -> Row | None:
    if entry.name in _FIRST:
        return _FIRST[entry.name](row, entry)
    if row is None:
        return None
    changes = _CHANGES[entry.name](row, entry)
    if "updated_at" in row:
        changes["updated_at"] = entry.timestamp
    return {**row, **changes}


def _listed(_row: Row | None, entry: Entry) -> Row:
    terms = decode_terms(bytes.fromhex(entry.args["raw_terms"].removeprefix("0x")))
    return {
        "chain_id": entry.chain_id,
        "address": entry.args["sale"],
        "kind": "sale",
        "currency": "ETH",
        "factory": entry.address,
        "buyer": None,
        "status": int(Status.LISTED),
        "attempt": 0,
        "device": 0,
        "refundable_at": 0,
        "undelivered_wei": 0,
        **{name: _storable(getattr(terms, name)) for name in _TERMS},
        "search": _storable(terms.goods.lower()),
        "listed_block": entry.block,
        "listed_at": entry.timestamp,
        "sold_at": None,
        "updated_at": entry.timestamp,
    }


def _storable(value: Any) -> Any:
    # PostgreSQL keeps no NUL; another client may have listed one.
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value


def _sold(row: Row, entry: Entry) -> Row:
    until = entry.timestamp + row["window_s"] if row["window_s"] else 0
    return {
        "status": int(Status.SOLD),
        "buyer": entry.args["buyer"],
        "refundable_at": until,
        "sold_at": entry.timestamp,
    }


def _operator_listed(_row: Row | None, entry: Entry) -> Row:
    name = _storable(entry.args["name"])
    return {"chain_id": entry.chain_id, "address": entry.args["operator"], "name": name, "listed": True}


def _site_opened(_row: Row | None, entry: Entry) -> Row:
    return {
        "chain_id": entry.chain_id,
        "id": entry.args["site"],
        "operator": entry.args["operator"],
        "name": _storable(entry.args["name"]),
        "open": True,
    }


def _provisioned(_row: Row | None, entry: Entry) -> Row:
    return {
        "chain_id": entry.chain_id,
        "id": entry.args["id"],
        "site": entry.args["site"],
        "address": entry.args["device"],
        "until": entry.args["until"],
        "certificate": entry.args["certificate"],
        "active": True,
    }


_FIRST: dict[str, Callable[[Row | None, Entry], Row]] = {
    "Listed": _listed,
    "OperatorListed": _operator_listed,
    "SiteOpened": _site_opened,
    "Provisioned": _provisioned,
    "Rotated": _provisioned,
}

_CHANGES: dict[str, Callable[[Row, Entry], Row]] = {
    "Sold": _sold,
    "Revoked": lambda _row, entry: {"attempt": entry.args["attempt"]},
    "Releasing": lambda _row, entry: {"status": int(Status.RELEASING), "device": entry.args["device"]},
    "Aborted": lambda _row, entry: {
        "status": int(Status.SOLD),
        "attempt": entry.args["attempt"],
        "device": 0,
    },
    "Released": lambda _row, _entry: {"status": int(Status.RELEASED)},
    "Cancelled": lambda _row, _entry: {"status": int(Status.CANCELLED)},
    "Refunded": lambda _row, _entry: {"status": int(Status.REFUNDED)},
    "Undelivered": lambda row, entry: {"undelivered_wei": row["undelivered_wei"] + entry.args["amount_wei"]},
    "Withdrawn": lambda _row, _entry: {"undelivered_wei": 0},
    "OperatorDelisted": lambda _row, _entry: {"listed": False},
    "SiteClosed": lambda _row, _entry: {"open": False},
    "Decommissioned": lambda _row, _entry: {"active": False},
}
