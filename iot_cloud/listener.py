"""The service on the broker: takes requests and records, and acknowledges each only after it is committed."""

import logging
import sqlite3
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

import paho.mqtt.client as mqtt

from iot_cloud.connection import Endpoint, new_client
from iot_cloud.delivery import Delivery
from iot_cloud.limits import RateLimit
from iot_cloud.loop import NetworkLoop
from iot_cloud.names import SERVICE, is_thing
from iot_cloud.presence import FORBIDDEN, LOG_FILTER, lifecycle_event
from iot_cloud.records import Records
from iot_cloud.refusals import Refusals
from iot_cloud.shadow.document import compact
from iot_cloud.shadow.errors import ShadowError
from iot_cloud.shadow.service import Message, Shadows
from iot_cloud.shadow.store import ShadowStore
from iot_cloud.shadow.topics import REQUEST_FILTERS, ShadowTopic

log = logging.getLogger(__name__)
RECORD_FILTERS = tuple(f"lading/+/{kind}" for kind in ("readings", "events", "status"))
FILTERS = (*REQUEST_FILTERS, *RECORD_FILTERS, LOG_FILTER)
RETRY_S = 2.0
MAX_UNSTORED = 10_000


class Listener:
    """One MQTT connection for all of the service, on one thread.

    A record that cannot be stored is not acknowledged: it is tried again, and the broker keeps it meanwhile.
    """

    def __init__(
        self, endpoint: Endpoint, store: ShadowStore, records: Records, limit: RateLimit, delivery: Delivery
    ) -> None:
        self._records, self._delivery, self._refusals = records, delivery, Refusals()
        self.shadows = Shadows(store, self.publish, limit.admit)
        self.subscribed = False
        self._unstored: deque[mqtt.MQTTMessage] = deque()
        self._retry_at = 0.0
        self._endpoint = endpoint
        self._client = new_client(SERVICE, endpoint, clean=False, manual_ack=True)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._network = NetworkLoop(self._client, self._take, self._retry)

    def start(self) -> None:
        """Connect, and go on trying."""
        self._network.start(self._endpoint)

    def stop(self) -> None:
        """Send what is queued and disconnect."""
        self._network.stop()

    def publish(self, messages: Iterable[Message]) -> None:
        """Send messages in their order; the first does not wait until the others are made."""
        first = True
        for message in self._delivery.arrange(messages):
            self._client.publish(message.topic, compact(message.body), qos=1)
            if first:
                self._network.flush()
                first = False

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

    def _take(self, message: mqtt.MQTTMessage) -> None:
        try:
            handled = self._handle(message)
        except Exception:
            # One message must not stop the service; it is acknowledged, for it would fail again.
            log.exception("could not handle a message on %s", message.topic)
            handled = True
        if handled:
            self._client.ack(message.mid, message.qos)
        elif len(self._unstored) < MAX_UNSTORED:
            self._unstored.append(message)

    def _handle(self, message: mqtt.MQTTMessage) -> bool:
        topic = message.topic
        if (request := ShadowTopic.parse(topic)) is not None:
            if (error := self.shadows.ask(request, bytes(message.payload))) is not None:
                self._refusals.tell(request.thing, str(request), f"{error.code} {error}")
        elif topic.startswith("lading/"):
            return self._record(topic, bytes(message.payload))
        elif topic.startswith("$SYS/"):
            self._announce(lifecycle_event(topic, message.payload.decode(errors="replace"), int(time.time() * 1000)))
        else:
            log.warning("refused a request on %r", topic)
        return True

    def _announce(self, event: Message | None) -> None:
        if event is None:
            return
        if event.body.get("disconnectReason") == FORBIDDEN:
            self._refusals.tell(event.body["clientId"], "a publish", "no right to the topic; its session was ended")
        self.publish([event])

    def _record(self, topic: str, payload: bytes) -> bool:
        _, thing, kind = topic.split("/")
        if not is_thing(thing):
            return True
        try:
            self._records.take(thing, kind, payload)
        except ShadowError as error:
            self._refusals.tell(thing, kind, error)
        except sqlite3.Error as error:
            log.error("could not store %s of %s, will try again: %s", kind, thing, error)  # noqa: TRY400
            self._retry_at = time.monotonic() + RETRY_S
            return False
        return True

    def _retry(self) -> None:
        while self._unstored and time.monotonic() >= self._retry_at:
            message = self._unstored[0]
            if self._record(message.topic, bytes(message.payload)):
                self._client.ack(message.mid, message.qos)
                self._unstored.popleft()
