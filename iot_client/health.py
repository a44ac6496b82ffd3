"""What a monitoring system is told of a door: its gate, its cloud, what it has in hand. Pure."""

from collections.abc import Mapping
from typing import Any

from iot_client.monitor import Figure, Health


def judge(status: Mapping[str, Any]) -> Health:
    """The figures of what `lading-pi status` says; a jammed or unknown gate, or a cloud that is away, serves nobody."""
    gate, cloud, releases = status.get("gate"), bool(status.get("cloud")), status.get("releases") or []
    why = [] if cloud else ["the cloud is away"]
    if gate in (None, "JAMMED"):
        why.append(f"the gate is {gate or 'unknown'}")
    return Health(
        (
            Figure("lading_pi_cloud_connected", int(cloud)),
            Figure("lading_pi_gate_state", 1, {"state": str(gate or "unknown")}),
            Figure("lading_pi_gate_usable", int(gate not in (None, "JAMMED"))),
            Figure("lading_pi_releases_in_hand", len(releases)),
        ),
        tuple(why),
    )
