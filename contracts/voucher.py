"""The voucher: the signed right to collect, and the text that its barcode holds.

The text is `LADING:1:` and the base45 (RFC 9285) of, big-endian: chain id 8, sale 20, buyer 20, expires_at 5, then
the signature, 65 bytes or, for a contract wallet, 66 to 512. All of it is in QR's alphanumeric set. Reading is
strict: one voucher has exactly one text, and every other text is refused. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import base45  # type: ignore[import-untyped]
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.address import is_address, to_canonical_address, to_checksum_address
from eth_utils.crypto import keccak

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
    "PREFIX",
    "Voucher",
    "VoucherError",
    "decode_voucher",
    "encode_voucher",
    "pickup_data",
    "pickup_digest",
    "sign_voucher",
]

PREFIX: Final = "LADING:1:"
_FAMILY: Final = "LADING:"
_HEAD: Final = 53
_SIGNATURE_MIN: Final = 65
_SIGNATURE_MAX: Final = 512
_TEXT_MAX: Final = len(PREFIX) + -(-(_HEAD + _SIGNATURE_MAX) * 3 // 2)

_TYPES: Final = {
    "EIP712Domain": [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ],
    "Pickup": [
        {"name": "buyer", "type": "address"},
        {"name": "attempt", "type": "uint256"},
        {"name": "expiresAt", "type": "uint256"},
    ],
}


@dataclass(frozen=True, slots=True)
class Voucher:
    """Whoever shows it before `expires_at` may collect; so the signature is in no log and no repr."""

    chain_id: int
    sale: ChecksumAddress
    buyer: ChecksumAddress
    expires_at: int
    signature: bytes = field(repr=False)


def encode_voucher(voucher: Voucher) -> str:
    """The barcode's text.

    Raises:
        VoucherField: a value does not fit.
        VoucherLength: the signature is shorter or longer than a signature can be.
    """
    _check_signature(voucher.signature)
    head = b"".join(
        (
            _number(voucher.chain_id, 8, "chain id"),
            _address(voucher.sale, "sale"),
            _address(voucher.buyer, "buyer"),
            _number(voucher.expires_at, 5, "expiry"),
        )
    )
    text: bytes = base45.b45encode(head + voucher.signature)
    return PREFIX + text.decode("ascii")


def decode_voucher(text: str, chain_id: int | None = None) -> Voucher:
    """The voucher in a barcode's text; with `chain_id`, only one for that chain.

    Raises:
        VoucherError: its subclass says what is wrong.
    """
    data = _payload(text)
    _check_signature(data[_HEAD:])
    voucher = Voucher(
        chain_id=int.from_bytes(data[:8], "big"),
        sale=to_checksum_address(data[8:28]),
        buyer=to_checksum_address(data[28:48]),
        expires_at=int.from_bytes(data[48:53], "big"),
        signature=data[_HEAD:],
    )
    _check_values(voucher)
    if chain_id is not None and voucher.chain_id != chain_id:
        raise OtherChain(voucher.chain_id, chain_id)
    return voucher


def pickup_data(*, chain_id: int, sale: str, buyer: str, attempt: int, expires_at: int) -> dict[str, Any]:
    """The EIP-712 typed data that the buyer signs, as `eth_signTypedData_v4` takes it."""
    return {
        "types": _TYPES,
        "primaryType": "Pickup",
        "domain": {"name": "Lading", "version": "1", "chainId": chain_id, "verifyingContract": sale},
        "message": {"buyer": buyer, "attempt": attempt, "expiresAt": expires_at},
    }


def pickup_digest(*, chain_id: int, sale: str, buyer: str, attempt: int, expires_at: int) -> bytes:
    """The hash that is signed: what `Sale.voucherDigest` answers."""
    data = pickup_data(chain_id=chain_id, sale=sale, buyer=buyer, attempt=attempt, expires_at=expires_at)
    return digest(encode_typed_data(full_message=data))


def digest(message: SignableMessage) -> bytes:
    """The EIP-191 hash of a signable message."""
    return keccak(b"\x19" + message.version + message.header + message.body)


def sign_voucher(
    key: LocalAccount | bytes | str, *, chain_id: int, sale: str, attempt: int, expires_at: int
) -> Voucher:
    """The voucher of the buyer whose private key, or account, this is.

    Raises:
        VoucherField: a value does not fit.
    """
    _number(chain_id, 8, "chain id")
    _number(expires_at, 5, "expiry")
    _address(sale, "sale")
    account: LocalAccount = key if isinstance(key, LocalAccount) else Account.from_key(key)
    data = pickup_data(chain_id=chain_id, sale=sale, buyer=account.address, attempt=attempt, expires_at=expires_at)
    signed = account.sign_typed_data(full_message=data)
    return Voucher(chain_id, to_checksum_address(sale), account.address, expires_at, bytes(signed.signature))


def _payload(text: str) -> bytes:
    if not isinstance(text, str) or not text.startswith(_FAMILY):
        raise NotAVoucher("this is not a Lading barcode")
    if not text.startswith(PREFIX):
        raise UnknownVersion("this barcode has another version than this device reads")
    if len(text) > _TEXT_MAX:
        raise VoucherTooLong(f"a voucher has at most {_TEXT_MAX} characters, this text has {len(text)}")
    try:
        # as bytes: given a str, base45 forgives a newline at the end
        data: bytes = base45.b45decode(text[len(PREFIX) :].encode("ascii"))
    except ValueError as error:
        raise VoucherDamaged("the barcode is damaged or was not read well; scan it again") from error
    return data


def _check_signature(signature: bytes) -> None:
    if not _SIGNATURE_MIN <= len(signature) <= _SIGNATURE_MAX:
        raise VoucherLength("the voucher has too few or too many bytes")


def _check_values(voucher: Voucher) -> None:
    _number(voucher.chain_id, 8, "chain id")
    _number(voucher.expires_at, 5, "expiry")
    _address(voucher.sale, "sale")
    _address(voucher.buyer, "buyer")


def _number(value: int, size: int, name: str) -> bytes:
    if type(value) is not int or not 0 < value < 1 << 8 * size:
        raise VoucherField(f"{value} is no {name}")
    return value.to_bytes(size, "big")


def _address(address: str, name: str) -> bytes:
    if not (isinstance(address, str) and address.startswith("0x") and is_address(address) and int(address, 16)):
        raise VoucherField(f"{address} is no address of a {name}")
    return to_canonical_address(address)
