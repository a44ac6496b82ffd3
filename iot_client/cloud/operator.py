"""An operator's command is obeyed for its signature, not for the channel on which it came; pure."""

from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data

from iot_client.cloud.documents import Command

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


def refuse_command(command: Command, *, chain_id: int, device_id: int, operator: str, now: float) -> str | None:
    """Why this command is not obeyed, or `None`."""
    if now >= command.before:
        return "it is too late for it"
    data = command_data(
        chain_id=chain_id,
        device_id=device_id,
        id=command.id,
        kind=command.kind,
        sale=command.sale,
        attempt=command.attempt,
        reason=command.reason,
        before=command.before,
    )
    try:
        signer = Account.recover_message(encode_typed_data(full_message=data), signature=command.signature)
    except Exception as error:  # noqa: BLE001  # eth-account raises many kinds for a malformed signature
        return f"its signature cannot be read ({type(error).__name__})"
    if signer.lower() != operator.lower():
        return "it is not signed by this door's operator"
    return None
