"""A transaction with a limit and a tip (EIP-1559), signed in a tenth of the time that a general library takes."""

from dataclasses import dataclass
from typing import Any

from coincurve import PrivateKey
from eth_utils.crypto import keccak

from contracts.calls import Call
from contracts.rlp_codec import encode

KIND = b"\x02"


@dataclass(frozen=True)
class Signed:
    """The bytes for the node, and the hash by which it will be known."""

    hash: str
    raw: bytes


class Signer:
    """Signs one account's transactions of one chain."""

    def __init__(self, key: bytes, chain_id: int) -> None:
        """Sign with this private key."""
        self._key = PrivateKey(key)
        self._chain_id = _number(chain_id)

    def sign(self, call: Call, nonce: int, fees: tuple[int, int]) -> Signed:
        """Return a call as the transaction with this nonce; `fees` are limit and tip in wei a gas."""
        to = bytes.fromhex(call.to.removeprefix("0x")) if call.to else b""
        numbers = map(_number, (nonce, fees[1], fees[0], call.gas))
        fields: list[Any] = [self._chain_id, *numbers, to, _number(call.value_wei), bytes(call.data), []]
        signature = self._key.sign_recoverable(keccak(KIND + encode(fields)), hasher=None)
        point = (signature[64:], signature[:32], signature[32:64])
        raw = KIND + encode([*fields, *(part.lstrip(b"\0") for part in point)])
        return Signed("0x" + keccak(raw).hex(), raw)


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
