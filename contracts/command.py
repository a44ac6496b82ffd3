"""An operator's command to a gate as it is signed (EIP-712): the web application makes it, the gate checks it."""

from __future__ import annotations

from typing import Any

NO_SALE = "0x" + "00" * 20

TYPES = {
    "EIP712Domain": [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
    ],
    "Command": [
        {"name": "device", "type": "uint256"},
        {"name": "id", "type": "string"},
        {"name": "kind", "type": "string"},
        {"name": "sale", "type": "address"},
        {"name": "attempt", "type": "uint256"},
        {"name": "reason", "type": "string"},
        {"name": "before", "type": "uint256"},
    ],
}


def command_data(
    *,
    chain_id: int,
    device_id: int,
    id: str,  # noqa: A002
    kind: str,
    sale: str,
    attempt: int,
    reason: str,
    before: int,
) -> dict[str, Any]:
    """The EIP-712 typed data that the operator signs."""
    return {
        "types": TYPES,
        "primaryType": "Command",
        "domain": {"name": "Lading", "version": "1", "chainId": chain_id},
        "message": {
            "device": device_id,
            "id": id,
            "kind": kind,
            "sale": sale or NO_SALE,
            "attempt": attempt,
            "reason": reason,
            "before": before,
        },
    }
