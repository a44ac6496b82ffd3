"""The service on the broker: takes requests and records, and acknowledges each only after it is committed."""

import logging
import sqlite3
import time
from collections.abc import Iterable
from typing import Any

import paho.mqtt.client as mqtt

from iot_cloud.connection import Endpoint, connect, new_client
from iot_cloud.delivery import Delivery
from iot_cloud.limits import RateLimit
from iot_cloud.names import SERVICE, is_thing
from iot_cloud.presence import LOG_FILTER, lifecycle_event
from iot_cloud.records import Records
from iot_cloud.shadow.document import compact
from iot_cloud.shadow.errors import ShadowError
from iot_cloud.shadow.service import Message, Shadows
from iot_cloud.shadow.store import ShadowStore
from iot_cloud.shadow.topics import REQUEST_FILTERS, ShadowTopic

log = logging.getLogger(__name__)
RECORD_FILTERS = tuple(f"lading/+/{kind}" for kind in ("readings", "events", "status"))
FILTERS = (*REQUEST_FILTERS, *RECORD_FILTERS, LOG_FILTER)


class Listener:
    """One MQTT connection for all of the service.

    Messages are handled on paho's network thread: a hand-over to another one would cost more than the work.
    """

    def __init__(
        self, endpoint: Endpoint, store: ShadowStore, records: Records, limit: RateLimit, delivery: Delivery
    ) -> None:
        self._records, self._delivery = records, delivery
        self.shadows = Shadows(store, self.publish, limit.admit)
        self.subscribed = False
        self._endpoint = endpoint
        self._client = new_client(SERVICE, endpoint, clean=False, manual_ack=True)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connect, and go on trying."""
        connect(self._client, self._endpoint)

    def stop(self) -> None:
        """Send what is queued and disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, messages: Iterable[Message]) -> None:
        """Queue messages; they leave in this order."""
        for message in self._delivery.arrange(messages):
            self._client.publish(message.topic, compact(message.body), qos=1)

    def _on_connect(self, client: mqtt.Client, _userdata: Any, _flags: Any, code: Any, _properties: Any) -> None:
        log.info("connected to the broker: %s", code)
        client.subscribe([(each, 1) for each in FILTERS])

    def _on_subscribe(self, _client: mqtt.Client, _userdata: Any, _mid: int, codes: Any, _properties: Any) -> None:
        refused = [topic for topic, code in zip(FILTERS, codes, strict=True) if code.is_failure]
        if refused:
            log.error("the broker refused the subscriptions %s", refused)
        self.subscribed = not refused

    def _on_disconnect(self, _client: mqtt.Client, _userdata: Any, _flags: Any, code: Any, _properties: Any) -> None:
        log.warning("disconnected from the broker: %s", code)
        self.subscribed = False

    def _on_message(self, client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        try:
            self._handle(message)
        except Exception:
            # One message must not stop the service; it is acknowledged, for it would fail again.
            log.exception("could not handle a message on %s", message.topic)
        client.ack(message.mid, message.qos)

    def _handle(self, message: mqtt.MQTTMessage) -> None:
        topic = message.topic
        if (request := ShadowTopic.parse(topic)) is not None:
            self.shadows.ask(request, bytes(message.payload))
        elif topic.startswith("lading/"):
            self._record(topic, bytes(message.payload))
        elif topic.startswith("$SYS/"):
            event = lifecycle_event(topic, message.payload.decode(errors="replace"), int(time.time() * 1000))
            if event is not None:
                self.publish([event])
        else:
            log.warning("refused a request on %r", topic)

    def _record(self, topic: str, payload: bytes) -> None:
        _, thing, kind = topic.split("/")
        if not is_thing(thing):
            return
        try:
            self._records.take(thing, kind, payload)
        except (ShadowError, sqlite3.Error) as error:
            log.warning("refused %s of %s: %s", kind, thing, error)
