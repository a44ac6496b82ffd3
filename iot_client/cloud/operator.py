"""An operator's command is obeyed for its signature, not for the channel on which it came; pure."""

from eth_account import Account
from eth_account.messages import encode_typed_data

from contracts.command import command_data
from iot_client.cloud.documents import Command


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
