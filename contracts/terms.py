"""What was agreed about a sale, as it stands in the code of the sale's own contract.

A sale is an ERC-1167 clone with immutable arguments, in the layout of OpenZeppelin's `Clones`; the arguments are
the terms. CREATE2 binds its address to factory, implementation and terms, so "is this one of our sales?" is
arithmetic. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.crypto import keccak

from contracts.address import checksummed
from contracts.fault import TermsError

HEAD: Final = 46
LABEL_MAX: Final = 64
WINDOW_MAX_S: Final = 366 * 86_400
SALT: Final = bytes(32)

_FIELDS: Final = (("price_wei", 12), ("window_s", 4), ("site", 4), ("edition", 2), ("year", 2))
_BEFORE: Final = bytes.fromhex("363d3d373d3d3d363d73")
_AFTER: Final = bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
_PROXY: Final = len(_BEFORE) + 20 + len(_AFTER)


@dataclass(frozen=True, slots=True)
class Terms:
    """Seller, price, refund window (0: paid at once), site, edition and the goods' labels."""

    seller: ChecksumAddress
    price_wei: int
    window_s: int
    site: int
    edition: int
    year: int
    make: str
    model: str
    number: str

    @property
    def goods(self) -> str:
        """What is sold, in words."""
        return f"{self.make} {self.model} {self.year} {self.number}".strip()


def encode_terms(terms: Terms) -> bytes:
    """The bytes that the factory puts into the clone's code.

    Raises:
        TermsError: a number does not fit its field or a label its length.
    """
    numbers = b"".join(_number(getattr(terms, name), name, size) for name, size in _FIELDS)
    make, model = _label(terms.make, "make"), _label(terms.model, "model")
    number = _label(terms.number, "number", at_least=0)
    return b"".join(
        (_address(terms.seller), numbers, bytes((len(make), len(model))), make, model, number),
    )


def decode_terms(data: bytes) -> Terms:
    """The terms in these bytes; labels that are not UTF-8 are shown with replacement characters.

    Raises:
        TermsError: no factory writes such bytes.
    """
    if len(data) < HEAD:
        raise TermsError(f"terms are at least {HEAD} bytes, these are {len(data)}")
    make_end = HEAD + data[44]
    model_end = make_end + data[45]
    sizes = (data[44], data[45], len(data) - model_end)
    if not (1 <= sizes[0] <= LABEL_MAX and 1 <= sizes[1] <= LABEL_MAX and 0 <= sizes[2] <= LABEL_MAX):
        raise TermsError(f"labels of {sizes[0]}, {sizes[1]} and {sizes[2]} bytes do not fit their limits")
    labels = (data[HEAD:make_end], data[make_end:model_end], data[model_end:])
    price_wei, window_s, site, edition, year = _numbers(data)
    make, model, number = (label.decode("utf-8", errors="replace") for label in labels)
    seller = checksummed(data[:20])
    return Terms(seller, price_wei, window_s, site, edition, year, make, model, number)


def clone_code(implementation: str, terms: Terms | bytes) -> bytes:
    """The code of the sale with these terms: what `eth_getCode` answers.

    Terms that hold labels which are not UTF-8 must be given as the bytes that were read.
    """
    return _BEFORE + _address(implementation) + _AFTER + _raw(terms)


def init_code(implementation: str, terms: Terms | bytes) -> bytes:
    """The code that creates the clone: what CREATE2 hashes."""
    runtime = clone_code(implementation, terms)
    return b"\x61" + len(runtime).to_bytes(2, "big") + bytes.fromhex("3d81600a3d39f3") + runtime


def split_clone(code: bytes) -> tuple[ChecksumAddress, bytes]:
    """The implementation and the raw terms in a clone's code.

    Raises:
        TermsError: it is not the code of such a clone.
    """
    start, end = len(_BEFORE), len(_BEFORE) + 20
    if len(code) < _PROXY or code[:start] != _BEFORE or code[end:_PROXY] != _AFTER:
        raise TermsError("this is not the code of a sale")
    return to_checksum_address(code[start:end]), code[_PROXY:]


def sale_address(factory: str, implementation: str, terms: Terms | bytes) -> ChecksumAddress:
    """The one address at which this factory creates the sale with these terms (EIP-1014, salt 0)."""
    digest = keccak(init_code(implementation, terms))
    return to_checksum_address(keccak(b"\xff" + _address(factory) + SALT + digest)[12:])


def _numbers(data: bytes) -> list[int]:
    values, start = [], 20
    for _, size in _FIELDS:
        values.append(int.from_bytes(data[start : start + size], "big"))
        start += size
    return values


def _raw(terms: Terms | bytes) -> bytes:
    return encode_terms(terms) if isinstance(terms, Terms) else terms


def _number(value: int, name: str, size: int) -> bytes:
    if not 0 <= value < 1 << 8 * size:
        raise TermsError(f"{name} {value} does not fit {size} bytes")
    return value.to_bytes(size, "big")


def _label(text: str, name: str, *, at_least: int = 1) -> bytes:
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise TermsError(f"{name} is not text that UTF-8 can hold") from error
    if not at_least <= len(data) <= LABEL_MAX:
        raise TermsError(f"{name} has {len(data)} bytes, it may have {at_least} to {LABEL_MAX}")
    return data


def _address(address: str) -> bytes:
    try:
        return to_canonical_address(address)
    except (ValueError, TypeError) as error:
        raise TermsError(f"{address!r} is not an address") from error
