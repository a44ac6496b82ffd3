"""The operator's key pair for signed HTTP requests, made on first use in the run folder."""

import json
import secrets
from dataclasses import asdict, dataclass

from iot_cloud.home import CloudHome, write_private


@dataclass(frozen=True)
class OperatorKey:
    """What AWS calls an access key; the AWS CLI takes it unchanged."""

    access_key_id: str
    secret_access_key: str


def operator_key(home: CloudHome) -> OperatorKey:
    """The run folder's key pair."""
    if not home.operator_key.exists():
        made = OperatorKey(f"LADING{secrets.token_hex(7).upper()}", secrets.token_urlsafe(30))
        write_private(home.operator_key, json.dumps(asdict(made)))
    return OperatorKey(**json.loads(home.operator_key.read_text()))
