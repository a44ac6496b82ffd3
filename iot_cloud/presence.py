"""Lifecycle events as AWS IoT publishes them, read from what mosquitto logs on its own topics. Pure.

Source: https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html
"""

import re

from iot_cloud.names import is_thing
from iot_cloud.shadow.service import Message

LOG_FILTER = "$SYS/broker/log/#"
_CONNECTED = re.compile(r"New client connected from (?P<address>\S+?):\d+ as (?P<client>\S+) \(")
_CLOSED = re.compile(
    r"(?:Client (?P<client>\S+) (?P<how>disconnected\.|disconnected|closed|has exceeded|already|been disconnected)"
    r"|Bad socket read/write on client (?P<broken>\S+): (?P<why>.*))"
)
_TOPIC = re.compile(r"(?:^|: )(?P<client>[a-zA-Z0-9:_-]+) (?:(?P<qos>\d+) )?(?P<topic>\S+)$")
BY_CLIENT = "CLIENT_INITIATED_DISCONNECT"
_REASONS = {
    "disconnected.": BY_CLIENT,
    "disconnected": "CLIENT_ERROR",
    "closed": "CONNECTION_LOST",
    "has exceeded": "MQTT_KEEP_ALIVE_TIMEOUT",
    "already": "DUPLICATE_CLIENTID",
    "been disconnected": "SERVER_INITIATED_DISCONNECT",
}
# What mosquitto calls it when it ends a session because of a publish without the right to it.
DENIED = "Unknown error."
FORBIDDEN = "FORBIDDEN_ACCESS"
REFUSED_QOS = "128"


def lifecycle_event(topic: str, line: str, now_ms: int) -> Message | None:
    """The event that a line of the broker's log tells of, or None."""
    if topic.endswith(("/subscribe", "/unsubscribe")):
        return _subscription(topic, line, now_ms)
    if found := _CONNECTED.search(line):
        return _presence("connected", found["client"], now_ms, {"ipAddress": found["address"]})
    if found := _CLOSED.search(line):
        reason = _reason(found)
        more = {"clientInitiatedDisconnect": reason == BY_CLIENT, "disconnectReason": reason}
        return _presence("disconnected", found["client"] or found["broken"].rstrip(":"), now_ms, more)
    return None


def _reason(found: re.Match[str]) -> str:
    if found["how"]:
        return _REASONS[found["how"]]
    return FORBIDDEN if found["why"] == DENIED else "CONNECTION_LOST"


def _presence(kind: str, client: str, now_ms: int, more: dict[str, object]) -> Message | None:
    if not is_thing(client):
        return None
    body = {"clientId": client, "timestamp": now_ms, "eventType": kind, "principalIdentifier": client}
    return Message(f"$aws/events/presence/{kind}/{client}", body | more)


def _subscription(topic: str, line: str, now_ms: int) -> Message | None:
    found = _TOPIC.search(line.strip())
    if found is None or found["qos"] == REFUSED_QOS or not is_thing(found["client"]):
        return None
    kind = "unsubscribed" if topic.endswith("/unsubscribe") else "subscribed"
    body = {
        "clientId": found["client"],
        "timestamp": now_ms,
        "eventType": kind,
        "principalIdentifier": found["client"],
        "topics": [found["topic"]],
    }
    return Message(f"$aws/events/subscriptions/{kind}/{found['client']}", body)
