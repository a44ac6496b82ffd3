"""Everything that this package refuses, as one tree.

LadingError
├── TermsError            bytes or values that no sale's terms can be
├── FieldError            a value that somebody gave; `field` names it
│   └── ListingError      a field of a listing
├── CallError             arguments that no contract could take
├── VoucherError          a barcode's text that is no voucher of ours
│   ├── NotAVoucher, UnknownVersion, VoucherTooLong, VoucherDamaged, VoucherLength, VoucherField
│   └── OtherChain
├── ProofError            in `contracts.proof_errors`
├── DeploymentError       the list of deployments, or what is (not) on the chain
├── AddressError, KeystoreError    what a person gave cannot be used
├── NodeError             the node's answer is none: refused, malformed
│   └── NodeUnreachable
└── ContractError         a contract said no
    ├── UnknownRefusal    with data that none of our contracts sends
    └── …                 one class for each custom error, named as in the contract

Every one has `reason`, a code for programs, and a message that a person can act on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from web3.exceptions import ContractLogicError, Web3RPCError

from contracts.factory_errors import (
    AlreadyListed,
    DeploymentFailed,
    InvalidEdition,
    InvalidMake,
    InvalidModel,
    InvalidNumber,
    InvalidPrice,
    InvalidWindow,
    InvalidYear,
    ItemRefusal,
    SiteNotOffered,
)
from contracts.fault import (
    AddressError,
    CallError,
    ContractError,
    DeploymentError,
    FieldError,
    KeystoreError,
    LadingError,
    ListingError,
    NodeError,
    NodeUnreachable,
    TermsError,
    UnknownRefusal,
)
from contracts.interface import Entry, entries
from contracts.registry_errors import (
    AddressInUse,
    DevicesExhausted,
    InvalidAddress,
    InvalidCertificate,
    InvalidConsent,
    InvalidName,
    InvalidUntil,
    NotOperator,
    OperatorAlreadyListed,
    OperatorNotListed,
    OwnableInvalidOwner,
    OwnableUnauthorizedAccount,
    SiteNotOpen,
    SitesExhausted,
    UnknownDevice,
)
from contracts.sale_errors import (
    AttemptsExhausted,
    DeadlinePassed,
    DeviceNotActive,
    EtherRefused,
    GasTooLow,
    InvalidVoucher,
    NoEscrow,
    NotBuyer,
    NothingToWithdraw,
    NotListed,
    NotParty,
    NotRefundable,
    NotReleasing,
    NotSeller,
    NotSettler,
    NotSold,
    PayoutRefused,
    RefundTooEarly,
    StatusRefusal,
    VoucherExpired,
    WrongBuyer,
    WrongPrice,
    WrongSite,
)
from contracts.sale_state import Status
from contracts.voucher_errors import (
    NotAVoucher,
    OtherChain,
    UnknownVersion,
    VoucherDamaged,
    VoucherError,
    VoucherField,
    VoucherLength,
    VoucherTooLong,
)

__all__ = [
    "AddressError",
    "AddressInUse",
    "AlreadyListed",
    "AttemptsExhausted",
    "CallError",
    "ContractError",
    "DeadlinePassed",
    "DeploymentError",
    "DeploymentFailed",
    "DeviceNotActive",
    "DevicesExhausted",
    "EtherRefused",
    "FieldError",
    "GasTooLow",
    "InvalidAddress",
    "InvalidCertificate",
    "InvalidConsent",
    "InvalidEdition",
    "InvalidMake",
    "InvalidModel",
    "InvalidName",
    "InvalidNumber",
    "InvalidPrice",
    "InvalidUntil",
    "InvalidVoucher",
    "InvalidWindow",
    "InvalidYear",
    "ItemRefusal",
    "KeystoreError",
    "LadingError",
    "ListingError",
    "NoEscrow",
    "NodeError",
    "NodeUnreachable",
    "NotAVoucher",
    "NotBuyer",
    "NotListed",
    "NotOperator",
    "NotParty",
    "NotRefundable",
    "NotReleasing",
    "NotSeller",
    "NotSettler",
    "NotSold",
    "NothingToWithdraw",
    "OperatorAlreadyListed",
    "OperatorNotListed",
    "OtherChain",
    "OwnableInvalidOwner",
    "OwnableUnauthorizedAccount",
    "PayoutRefused",
    "RefundTooEarly",
    "SiteNotOffered",
    "SiteNotOpen",
    "SitesExhausted",
    "StatusRefusal",
    "TermsError",
    "UnknownDevice",
    "UnknownRefusal",
    "UnknownVersion",
    "VoucherDamaged",
    "VoucherError",
    "VoucherExpired",
    "VoucherField",
    "VoucherLength",
    "VoucherTooLong",
    "WrongBuyer",
    "WrongPrice",
    "WrongSite",
    "decode_error",
    "translate",
]

PLAIN_REVERT = "08c379a0"
PANIC = "4e487b71"
# How nodes say that a contract's own code failed without data.
_FAILED = ("revert", "out of gas", "outofgas", "invalid opcode", "invalid jump", "stack underflow")
# Where nodes put revert data inside an error's data, and how deep they nest it at most.
_PLACES = ("result", "return", "data")
_DEPTH = 5


def decode_error(source: BaseException | bytes | str) -> ContractError | None:
    """The refusal in an exception of web3.py, or in revert data; `None` if there is none in it.

    geth, anvil and ganache put the data in different places, and web3.py raises different exceptions for them.
    """
    if isinstance(source, ContractError):
        return source
    data = _revert_data(source) if isinstance(source, BaseException) else _as_bytes(source)
    if data is None:
        return UnknownRefusal("the contract refused without saying why") if _is_revert(source) else None
    error = _from_data(data)
    error.data = data
    return error


def translate(error: Exception) -> LadingError:
    """What to raise instead of an exception of web3.py: the contract's refusal, or a `NodeError`."""
    return decode_error(error) or NodeError(f"the node did not answer as it should: {error}")


def _from_data(data: bytes) -> ContractError:
    selector = data[:4].hex()
    if (entry := _custom_errors().get(data[:4])) is not None:
        return _known(entry, data[4:])
    if selector == PANIC and len(data) == 36:
        return UnknownRefusal(f"the contract failed (panic {int.from_bytes(data[4:], 'big'):#x})")
    if selector == PLAIN_REVERT:
        return UnknownRefusal("the contract refused with a plain text, which none of ours does")
    return UnknownRefusal(f"the contract refused with unknown data {selector or '(none)'}")


def _known(entry: Entry, arguments: bytes) -> ContractError:
    kind = _CLASSES.get(entry.name)
    try:
        values = dict(zip((one.name for one in entry.inputs), entry.decode_inputs(arguments), strict=True))
        if "status" in values:
            values["status"] = Status(values["status"])
    except (NodeError, ValueError):
        return UnknownRefusal(f"the contract refused with {entry.name} and values that cannot be read")
    if kind is None:
        return UnknownRefusal(f"the contract refused: {entry.name}", values=values)
    return kind(values=values)


@cache
def _custom_errors() -> dict[bytes, Entry]:
    contracts = ("Sale", "SaleFactory", "DeviceRegistry")
    found = (entry for name in contracts for entry in entries(name, "error").values())
    return {entry.hash[:4]: entry for entry in found}


def _subclasses(kind: type[ContractError]) -> Iterator[type[ContractError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _subclasses(one)


_CLASSES = {kind.__name__: kind for kind in _subclasses(ContractError)}


def _is_revert(source: object) -> bool:
    if isinstance(source, ContractLogicError):
        return True
    return isinstance(source, Web3RPCError) and any(sign in str(source.message).lower() for sign in _FAILED)


def _revert_data(error: BaseException) -> bytes | None:
    for found in _candidates(error):
        if (data := _as_bytes(found)) is not None and len(data) >= 4:
            return data
    return None


def _candidates(error: BaseException) -> Iterator[str]:
    """Every place where a node may have put revert data, in the order in which they are to be believed."""
    if isinstance(error, ContractLogicError):
        yield from _strings(error.data)
    if isinstance(error, Web3RPCError) and error.rpc_response:
        body: Any = error.rpc_response.get("error")
        yield from _strings(body.get("data") if isinstance(body, Mapping) else None)


def _strings(data: object) -> Iterator[str]:
    """The texts in error data, each mapping looked into once and no deeper than any node nests them."""
    level = [data]
    for _ in range(_DEPTH):
        yield from (one.removeprefix("Reverted ") for one in level if isinstance(one, str))
        level = [inner for one in level if isinstance(one, Mapping) for inner in _inside(one)]


def _inside(data: Mapping[str, object]) -> Iterator[object]:
    yield from (data[key] for key in _PLACES if key in data)
    yield from (value for key, value in data.items() if key not in _PLACES and isinstance(value, Mapping))


def _as_bytes(data: bytes | str) -> bytes | None:
    if isinstance(data, bytes):
        return data
    try:
        return bytes.fromhex(data.removeprefix("0x"))
    except ValueError:
        return None
