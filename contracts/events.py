"""Every event of the contracts as a frozen dataclass, from logs alone. Pure.

A log says which contract sent it, not that the contract is ours: whoever reads logs filters by address, a sale's
by its factory's `Listed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from eth_typing import ChecksumAddress

from contracts.address import checksummed
from contracts.fault import LadingError, snake_case
from contracts.interface import Entry, Parameter, decode, entries
from contracts.terms import Terms, decode_terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Where an event stands: the contract that sent it and its place in the chain."""

    contract: ChecksumAddress
    block_number: int
    block_hash: str
    transaction_hash: str
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Event):
    """Factory: a new sale; `raw_terms` are the bytes in its code."""

    sale: ChecksumAddress
    seller: ChecksumAddress
    terms: Terms
    raw_terms: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold(Event):
    """Sale: paid for in full."""

    buyer: ChecksumAddress
    price_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked(Event):
    """Sale: every voucher before this attempt is dead."""

    buyer: ChecksumAddress
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Releasing(Event):
    """Sale: the voucher of this attempt is consumed by this device."""

    buyer: ChecksumAddress
    device: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Aborted(Event):
    """Sale: the device did not open; the next voucher must carry this attempt."""

    device: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(Event):
    """Sale: the goods are out."""

    device: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(Event):
    """Sale: the seller took the listing back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded(Event):
    """Sale: the escrow goes back to the buyer."""

    buyer: ChecksumAddress
    amount_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered(Event):
    """Sale: a payout failed; the amount waits for `withdraw`."""

    to: ChecksumAddress
    amount_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Event):
    """Sale: what a payout could not deliver was fetched."""

    to: ChecksumAddress
    amount_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorListed(Event):
    """Registry: this operator may open sites."""

    operator: ChecksumAddress
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorDelisted(Event):
    """Registry: nothing new by this operator."""

    operator: ChecksumAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOpened(Event):
    """Registry: a new place to collect goods."""

    site: int
    operator: ChecksumAddress
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteClosed(Event):
    """Registry: nothing new at this site."""

    site: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned(Event):
    """Registry: a new device."""

    id: int
    site: int
    device: ChecksumAddress
    until: int
    certificate: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated(Event):
    """Registry: the device has a new key, certificate or expiry."""

    id: int
    site: int
    device: ChecksumAddress
    until: int
    certificate: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Decommissioned(Event):
    """Registry: the device neither releases nor completes any more."""

    id: int


_CLASSES: Final = {kind.__name__: kind for kind in Event.__subclasses__()}
_WEI: Final = {"price": "price_wei", "amount": "amount_wei"}
_ENTRIES: Final = {
    entry.hash: (_CLASSES[entry.name], entry)
    for contract in ("SaleFactory", "Sale", "DeviceRegistry")
    for entry in entries(contract, "event").values()
    if entry.name in _CLASSES
}

TOPICS: Final[Mapping[str, type[Event]]] = {f"0x{topic.hex()}": kind for topic, (kind, _) in _ENTRIES.items()}
"""The first topic of every event, `0x…`, and its class."""


def decode_log(log: Mapping[str, Any]) -> Event | None:
    """The event in a log, as web3.py or a node's JSON gives it.

    `None` if it is none of ours, malformed, not mined yet, or undone (`removed`).
    """
    try:
        topics = [_bytes(topic) for topic in log["topics"]]
        if not topics or topics[0] not in _ENTRIES or log.get("removed"):
            return None
        kind, entry = _ENTRIES[topics[0]]
        return kind(**_place(log), **_values(entry, topics[1:], _bytes(log["data"])))
    except (LadingError, ValueError, TypeError, LookupError, AttributeError):
        return None


def _values(entry: Entry, topics: list[bytes], data: bytes) -> dict[str, Any]:
    indexed = [one for one in entry.inputs if one.indexed]
    plain = [one for one in entry.inputs if not one.indexed]
    values = _named(indexed, _words(indexed, topics))
    if any(one.type in ("bytes", "string") for one in plain):
        values |= _named(plain, decode([one.type for one in plain], data))
    else:
        values |= _named(plain, _words(plain, [data[at : at + 32] for at in range(0, len(data), 32)]))
    if "terms" in values:
        values["raw_terms"] = bytes(values["terms"])
        values["terms"] = decode_terms(values["raw_terms"])
    return values


def _named(parameters: list[Parameter], values: Iterable[Any]) -> dict[str, Any]:
    return dict(zip((_field(one.name) for one in parameters), values, strict=True))


@cache
def _field(name: str) -> str:
    return _WEI.get(name) or snake_case(name)


def _words(parameters: list[Parameter], words: list[bytes]) -> list[Any]:
    """The values of parameters of one word each; the general codec takes ten times as long."""
    return [_word(one.type, word) for one, word in zip(parameters, words, strict=True)]


def _word(kind: str, word: bytes) -> Any:
    if len(word) != 32:
        raise ValueError("a word has 32 bytes")
    if kind == "bytes32":
        return word
    size = 20 if kind == "address" else int(kind.removeprefix("uint")) // 8
    if any(word[:-size]):
        raise ValueError("the value is larger than its type")
    return checksummed(word[-size:]) if kind == "address" else int.from_bytes(word)


def _place(log: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "contract": checksummed(log["address"]),
        "block_number": _number(log["blockNumber"]),
        "block_hash": _hash(log["blockHash"]),
        "transaction_hash": _hash(log["transactionHash"]),
        "log_index": _number(log["logIndex"]),
    }


def _hash(value: str | bytes) -> str:
    found = _bytes(value)
    if len(found) != 32:
        raise ValueError("a hash has 32 bytes")
    return f"0x{found.hex()}"


def _bytes(value: str | bytes) -> bytes:
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)


def _number(value: int | str) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)
