"""The compiled contracts, as committed: no compiler is needed to use them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.abi import abi_to_signature, function_signature_to_4byte_selector

ARTIFACTS: Final = Path(__file__).resolve().parent / "artifacts"
CONTRACTS: Final = ("DeviceRegistry", "Sale", "SaleFactory")
INPUT: Final = "input.json"
"""The compiler's standard-JSON input: sources and settings, for who wants to compile the same code again."""

WALLET_CHECK: Final = "isValidSignature(bytes32,bytes)"
"""What a door asks a buyer that is a contract (ERC-1271)."""


@cache
def artifact(name: str) -> dict[str, Any]:
    """Everything that the compiler says about one of `CONTRACTS`; do not change it."""
    if name not in CONTRACTS:
        raise KeyError(f"there is no contract {name!r}; there are {', '.join(CONTRACTS)}")
    found: dict[str, Any] = json.loads((ARTIFACTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def abi(name: str) -> list[dict[str, Any]]:
    """The ABI of one of `CONTRACTS`."""
    found: list[dict[str, Any]] = artifact(name)["abi"]
    return found


def creation_code(name: str, *addresses: str) -> bytes:
    """What a transaction that deploys one of `CONTRACTS` carries: its code and its constructor's arguments."""
    types = ["address"] * len(addresses)
    return bytes.fromhex(artifact(name)["bytecode"][2:]) + encode(types, addresses)


def deployed_code(name: str, immutables: dict[str, str] | None = None) -> bytes:
    """The code that stands on the chain once one of `CONTRACTS` is deployed, its immutable addresses filled in.

    Args:
        name: one of `CONTRACTS`.
        immutables: the address for each immutable's name in the source.
    """
    found = artifact(name)
    code = bytearray.fromhex(found["deployedBytecode"][2:])
    for immutable, places in found["immutableReferences"].items():
        word = encode(["address"], [(immutables or {})[immutable]])
        for place in places:
            code[place["start"] : place["start"] + place["length"]] = word
    return bytes(code)


def selectors(*names: str) -> dict[str, str]:
    """The selector (`0x…`) of every function of these contracts, by signature.

    When none is named: of all, and `WALLET_CHECK`.
    """
    functions = (entry for name in names or CONTRACTS for entry in abi(name) if entry["type"] == "function")
    wallet = set() if names else {WALLET_CHECK}
    signatures = sorted({abi_to_signature(entry) for entry in functions} | wallet)  # type: ignore[arg-type]
    return {each: "0x" + function_signature_to_4byte_selector(each).hex() for each in signatures}
