"""A block header of a Clique chain at London: its 16 fields, its hash, its seal, its link to the one before it.

Nothing in it is believed: the hash is recomputed from the fields (RLP, Keccak-256), the sealer is recovered from
the last 65 bytes of `extraData` over the header without them (EIP-225). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from coincurve import PublicKey
from eth_hash.auto import keccak

from contracts.hexadecimal import data, minimal, quantity
from contracts.proof_errors import AnswerError, Flaw, HeaderError
from contracts.rlp_codec import decode, encode

# Name in JSON-RPC and size in bytes, in the order of the RLP list; negative: a number of at most so many bytes.
FIELDS: Final = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", -32),
    ("number", -8),
    ("gasLimit", -8),
    ("gasUsed", -8),
    ("timestamp", -8),
    ("extraData", 0),
    ("mixHash", 32),
    ("nonce", 8),
    ("baseFeePerGas", -32),
)
VANITY: Final = 32
SEAL: Final = 65
MAX_SEALERS: Final = 100
EXTRA_MAX: Final = VANITY + 20 * MAX_SEALERS + SEAL
HEADER_MAX: Final = 1_024 + EXTRA_MAX

_EXTRA: Final = 12
_NO_UNCLES: Final = keccak(encode([]))
_VOTES: Final = (bytes(8), b"\xff" * 8)


@dataclass(frozen=True)
class Header:
    """The 16 fields as RLP holds them."""

    items: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def from_json(cls, answer: object) -> Header:
        """The header in an answer to `eth_getBlockByNumber`.

        Raises:
            AnswerError: a field is missing or malformed, or the stated hash is not that of the fields.
        """
        if not isinstance(answer, Mapping):
            raise AnswerError(Flaw.MALFORMED, "a block header is an object")
        header = cls(tuple(_field(answer.get(name), name, size) for name, size in FIELDS))
        if data(answer.get("hash"), "hash", 32) != header.hash:
            raise AnswerError(Flaw.MALFORMED, f"block {header.number}: the stated hash is not the header's")
        return header

    @classmethod
    def from_rlp(cls, raw: bytes) -> Header:
        """The header in these bytes, which must be its one RLP encoding.

        Raises:
            AnswerError: they are not.
        """
        if len(raw) > HEADER_MAX:
            raise AnswerError(Flaw.MALFORMED, f"a header has at most {HEADER_MAX} bytes, not {len(raw)}")
        try:
            items = decode(raw)
        except ValueError as error:
            raise AnswerError(Flaw.MALFORMED, "a header is not RLP") from error
        if not isinstance(items, list) or len(items) != len(FIELDS):
            raise AnswerError(Flaw.MALFORMED, f"a header is a list of {len(FIELDS)} fields")
        return cls(tuple(_check_item(item, *place) for item, place in zip(items, FIELDS, strict=True)))

    @cached_property
    def rlp(self) -> bytes:
        """The RLP encoding."""
        return encode(self.items)

    @cached_property
    def hash(self) -> bytes:
        """The block's hash, recomputed."""
        return bytes(keccak(self.rlp))

    @cached_property
    def seal_hash(self) -> bytes:
        """What the sealer signed: the hash of the header without the seal."""
        extra = self.items[_EXTRA]
        return bytes(keccak(encode([*self.items[:_EXTRA], extra[:-SEAL], *self.items[_EXTRA + 1 :]])))

    @cached_property
    def sealer(self) -> bytes:
        """The address whose key sealed this header.

        Raises:
            HeaderError: the seal is no signature.
        """
        return recover(self.seal_hash, self.items[_EXTRA][-SEAL:])

    @property
    def parent_hash(self) -> bytes:
        """The hash of the block before this one."""
        return self.items[0]

    @property
    def state_root(self) -> bytes:
        """The root of the state after this block."""
        return self.items[3]

    @property
    def difficulty(self) -> int:
        """2 in turn, 1 out of turn."""
        return int.from_bytes(self.items[7], "big")

    @property
    def number(self) -> int:
        """The block's number."""
        return int.from_bytes(self.items[8], "big")

    @property
    def timestamp(self) -> int:
        """When it was sealed, Unix seconds."""
        return int.from_bytes(self.items[11], "big")

    @property
    def extra(self) -> bytes:
        """Vanity, in an epoch block the sealers, seal."""
        return self.items[_EXTRA]

    @property
    def listed(self) -> bytes:
        """What stands between vanity and seal: the sealers in an epoch block, else nothing."""
        return self.extra[VANITY:-SEAL]


def recover(digest: bytes, seal: bytes) -> bytes:
    """The address whose key made this recoverable signature (r, s, v with v 0 or 1)."""
    if len(seal) != SEAL or seal[-1] > 1:
        raise HeaderError(Flaw.BAD_SEAL, "a seal is not a signature of 65 bytes")
    try:
        key = PublicKey.from_signature_and_message(seal, digest, hasher=None)
    except Exception as error:  # coincurve raises bare Exception where the curve has no such point
        raise HeaderError(Flaw.BAD_SEAL, "a seal is not a signature of any key") from error
    return bytes(keccak(key.format(compressed=False)[1:])[12:])


def check_fields(header: Header, epoch: int) -> None:
    """Clique's rules for one header by itself (EIP-225).

    Raises:
        HeaderError: it breaks one.
    """
    at = f"block {header.number}"
    if header.items[1] != _NO_UNCLES or header.items[13] != bytes(32):
        raise HeaderError(Flaw.NOT_CLIQUE, f"{at}: Clique knows no uncles and no mix hash")
    if header.difficulty not in (1, 2) or header.items[14] not in _VOTES:
        raise HeaderError(Flaw.NOT_CLIQUE, f"{at}: difficulty or nonce is none of Clique's")
    if int.from_bytes(header.items[10], "big") > int.from_bytes(header.items[9], "big"):
        raise HeaderError(Flaw.NOT_CLIQUE, f"{at}: more gas is used than the block may hold")
    if len(header.extra) < VANITY + SEAL or (header.number % epoch and header.listed):
        raise HeaderError(Flaw.NOT_CLIQUE, f"{at}: extraData does not fit its place in the epoch")


def check_link(parent: Header, child: Header, period_s: int) -> None:
    """The child names the parent's hash, follows its number and keeps the period.

    Raises:
        HeaderError: it does not.
    """
    if child.number != parent.number + 1 or child.parent_hash != parent.hash:
        raise HeaderError(Flaw.NOT_LINKED, f"block {child.number} does not follow block {parent.number}")
    if child.timestamp < parent.timestamp + period_s:
        raise HeaderError(Flaw.TOO_EARLY, f"block {child.number} was sealed before its time")


def _field(value: object, name: str, size: int) -> bytes:
    if size < 0:
        return minimal(quantity(value, name, -size))
    return data(value, name, size) if size else data(value, name, at_most=EXTRA_MAX)


def _check_item(item: object, name: str, size: int) -> bytes:
    if not isinstance(item, bytes):
        raise AnswerError(Flaw.MALFORMED, f"{name} is not a string of bytes")
    fits = len(item) == size if size > 0 else len(item) <= (-size or EXTRA_MAX)
    if not fits or (size < 0 and item[:1] == b"\x00"):
        raise AnswerError(Flaw.MALFORMED, f"{name} does not have the size of its field")
    return item
