"""Lifecycle events as AWS IoT publishes them, read from what mosquitto logs on its own topics. Pure.

Source: https://docs.aws.amazon.com/iot/latest/developerguide/life-cycle-events.html
"""

import re

from iot_cloud.names import is_thing
from iot_cloud.shadow.service import Message

LOG_FILTER = "$SYS/broker/log/#"
_CONNECTED = re.compile(r"New client connected from (?P<address>\S+?):\d+ as (?P<client>\S+) \(")
_CLOSED = re.compile(r"Client (?P<client>\S+) (?P<how>disconnected|closed its connection|has exceeded timeout|already)")
_TOPIC = re.compile(r"(?:^|: )(?P<client>[a-zA-Z0-9:_-]+) (?:(?P<qos>\d+) )?(?P<topic>\S+)$")
_REASONS = {
    "disconnected": "CLIENT_INITIATED_DISCONNECT",
    "closed its connection": "CONNECTION_LOST",
    "has exceeded timeout": "MQTT_KEEP_ALIVE_TIMEOUT",
    "already": "DUPLICATE_CLIENTID",
}
REFUSED_QOS = "128"


def lifecycle_event(topic: str, line: str, now_ms: int) -> Message | None:
    """The event that a line of the broker's log tells of, or None."""
    if topic.endswith(("/subscribe", "/unsubscribe")):
        return _subscription(topic, line, now_ms)
    if found := _CONNECTED.search(line):
        return _presence("connected", found["client"], now_ms, {"ipAddress": found["address"]})
    if found := _CLOSED.search(line):
        by_client = found["how"] == "disconnected" and "not authorised" not in line
        reason = _REASONS[found["how"]] if by_client or found["how"] != "disconnected" else "AUTH_ERROR"
        more = {"clientInitiatedDisconnect": by_client, "disconnectReason": reason}
        return _presence("disconnected", found["client"], now_ms, more)
    return None


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
