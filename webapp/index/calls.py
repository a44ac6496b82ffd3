"""What a transaction calls, decoded with the project's ABI. Pure; no signature comes out of here."""

from functools import cache
from typing import Any

from contracts.abi import abi
from contracts.errors import NodeError
from contracts.interface import Entry, entries

LONGEST_TEXT = 256


def decode_call(contract: str | None, data: bytes) -> tuple[str, dict[str, Any]]:
    """Return a call's name and arguments; without a contract of ours its selector, and nothing for a plain payment."""
    if not data:
        return "", {}
    known = _functions(contract).get(data[:4]) if contract else None
    if known is None:
        return "0x" + data[:4].hex(), {"bytes": len(data)}
    entry, inputs = known
    try:
        values = entry.decode_inputs(data[4:])
    except NodeError:
        return entry.name, {"unreadable": f"{len(data)} bytes"}
    return entry.name, _named(inputs, values)


@cache
def _functions(contract: str) -> dict[bytes, tuple[Entry, list[dict[str, Any]]]]:
    inputs = {item["name"]: item.get("inputs", []) for item in abi(contract) if item["type"] == "function"}
    return {entry.hash[:4]: (entry, inputs[name]) for name, entry in entries(contract, "function").items()}


def _named(parameters: list[dict[str, Any]], values: Any) -> dict[str, Any]:
    pairs = zip(parameters, values, strict=True)
    return {one["name"].strip("_"): _plain(one, one["type"], value) for one, value in pairs}


def _plain(parameter: dict[str, Any], kind: str, value: Any) -> Any:
    if kind.endswith("[]"):
        return [_plain(parameter, kind[:-2], one) for one in value]
    if kind == "tuple":
        return _named(parameter["components"], value)
    if kind == "bytes":  # a voucher's signature, a device's consent: whoever has it may use it
        return f"{len(value)} bytes, not shown"
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, str):
        return value[:LONGEST_TEXT].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 2**53 else value
