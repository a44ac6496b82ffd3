"""Encoding and decoding by a contract's own ABI: functions and events by name. Pure but for the artifacts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.codec import ABICodec
from eth_abi.decoding import StringDecoder
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import ABIRegistry, BaseEquals, registry
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from contracts.abi import abi
from contracts.address import checksummed
from contracts.fault import CallError, NodeError


def _lenient_codec() -> ABICodec:
    """A codec that shows what is not UTF-8 with replacement characters: anybody may have listed it."""
    lenient: ABIRegistry = registry.copy()  # type: ignore[no-untyped-call]
    lenient.unregister_decoder("string")
    text = StringDecoder(handle_string_errors="replace")  # type: ignore[no-untyped-call]
    lenient.register_decoder(BaseEquals("string"), text, label="string")  # type: ignore[no-untyped-call]
    return ABICodec(lenient)


CODEC = _lenient_codec()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input, output or event field."""

    name: str
    type: str
    indexed: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A function, event or custom error of an ABI."""

    kind: str
    name: str
    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...]

    @property
    def hash(self) -> bytes:
        """The hash of the signature: its first four bytes are the selector, an event's topic is all of it."""
        return keccak(text=f"{self.name}({','.join(parameter.type for parameter in self.inputs)})")

    def call_data(self, *arguments: object) -> HexBytes:
        """What to send to call the function.

        Raises:
            CallError: the arguments are none of its parameters' types.
        """
        types = [parameter.type for parameter in self.inputs]
        try:
            return HexBytes(self.hash[:4] + CODEC.encode(types, arguments))
        except (EncodingError, ValueError, TypeError) as error:
            raise CallError(f"{self.name} takes ({','.join(types)}): {error}") from error

    def decode_inputs(self, data: bytes) -> tuple[Any, ...]:
        """The values of an error's, or a call's, own parameters.

        Raises:
            NodeError: the data are none.
        """
        return decode([parameter.type for parameter in self.inputs], data)

    def decode_answer(self, data: bytes) -> tuple[Any, ...]:
        """The function's outputs.

        Raises:
            NodeError: the data are none.
        """
        return decode([parameter.type for parameter in self.outputs], data)


def decode(types: list[str], data: bytes) -> tuple[Any, ...]:
    """Values of these types, addresses checksummed.

    Raises:
        NodeError: the data are not of these types.
    """
    try:
        values = CODEC.decode(types, data)
    except (DecodingError, OverflowError, ValueError) as error:
        raise NodeError(f"an answer of {len(data)} bytes is not ({','.join(types)})") from error
    return tuple(_checksummed(kind, value) for kind, value in zip(types, values, strict=True))


@cache
def entries(contract: str, kind: str) -> dict[str, Entry]:
    """Every function, event or error of a contract by name."""
    found = (_entry(item) for item in abi(contract) if item["type"] == kind)
    return {entry.name: entry for entry in found}


def function(contract: str, name: str) -> Entry:
    """A function of one of our contracts."""
    return entries(contract, "function")[name]


def _entry(item: Any) -> Entry:
    return Entry(
        kind=item["type"],
        name=item["name"],
        inputs=_parameters(item.get("inputs", ())),
        outputs=_parameters(item.get("outputs", ())),
    )


def _parameters(items: Any) -> tuple[Parameter, ...]:
    return tuple(Parameter(item["name"], _type(item), bool(item.get("indexed", False))) for item in items)


def _type(item: Any) -> str:
    kind: str = item["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(part) for part in item['components'])}){kind.removeprefix('tuple')}"


def _checksummed(kind: str, value: Any) -> Any:
    return checksummed(value) if kind == "address" else value
