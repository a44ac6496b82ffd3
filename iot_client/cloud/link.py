"""The connection to AWS IoT, or its twin, by AWSIoTPythonSDK.

Its shadow handler loses the delta of its own update when `accepted` comes first, so deltas are subscribed to and
updates published through `getMQTTConnection()`. Its callbacks run on threads of its own and only hand over. On every
connect: subscribe, wait for the acknowledgement, `get`.
"""

import json
import logging
import socket
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from AWSIoTPythonSDK.exception import operationError, operationTimeoutException  # type: ignore[import-untyped]
from AWSIoTPythonSDK.MQTTLib import AWSIoTMQTTShadowClient  # type: ignore[import-untyped]

from iot_client.errors import CloudUnreachable

log = logging.getLogger("iot_client.cloud")

RETRY_S = 1.0
SDK_ERRORS = (operationError.operationError, operationTimeoutException.operationTimeoutException)


@dataclass(frozen=True)
class Endpoint:
    """Where the broker is, and with what this thing shows who it is."""

    host: str
    port: int
    thing: str
    ca: Path
    certificate: Path
    private_key: Path
    keep_alive_s: int


class Link:
    """One connection; says `online` and hands every message to one receiver."""

    def __init__(
        self, endpoint: Endpoint, receive: Callable[[str, bytes], None], online: Callable[[bool], None]
    ) -> None:
        self._endpoint = endpoint
        self._receive = receive
        self._tell = online
        self._pending: set[str] = set()
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._client: Any = None
        self._thread = threading.Thread(target=self._connect, name="cloud", daemon=True)

    @property
    def topic(self) -> str:
        """The thing's classic shadow."""
        return f"$aws/things/{self._endpoint.thing}/shadow"

    @property
    def topics(self) -> tuple[str, ...]:
        """Everything that is subscribed to."""
        classic, operator = self.topic, f"{self.topic}/name/operator"
        return (
            f"{classic}/update/delta", f"{classic}/get/accepted", f"{classic}/update/accepted",
            f"{classic}/update/rejected", f"{operator}/update/delta", f"{operator}/get/accepted",
        )  # fmt: skip

    @property
    def connected(self) -> bool:
        """Whether every subscription of this connection was acknowledged."""
        return self._ready.is_set()

    def start(self) -> None:
        """Connect in the background, and again whenever it breaks."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye, so that the last will is not sent by the broker."""
        self._stop.set()
        self._thread.join(timeout=15)
        if self._client is not None and self._ready.is_set():
            self._goodbye()

    def publish(self, topic: str, document: dict[str, object], acknowledged: Callable[[], None] | None = None) -> None:
        """Publish at QoS 1; raises `CloudUnreachable` at once when offline, since a queue would deliver late."""
        if self._client is None or not self._ready.is_set():
            raise CloudUnreachable("the IoT cloud is not connected")
        payload = json.dumps(document, separators=(",", ":"))

        def on_puback(mid: int, data: object = None) -> None:  # noqa: ARG001
            if acknowledged is not None:
                acknowledged()

        try:
            self._client.getMQTTConnection().publishAsync(topic, payload, 1, on_puback)
        except SDK_ERRORS as error:
            raise CloudUnreachable(f"the IoT cloud does not take a message: {type(error).__name__}") from error

    def update(self, document: dict[str, object], name: str | None = None) -> None:
        """Publish a shadow update."""
        self.publish(f"{self._shadow(name)}/update", document | {"clientToken": uuid.uuid4().hex})

    def get(self, name: str | None = None) -> None:
        """Ask for a whole document."""
        self.publish(f"{self._shadow(name)}/get", {})

    def _shadow(self, name: str | None) -> str:
        return self.topic if name is None else f"{self.topic}/name/{name}"

    def _connect(self) -> None:
        while not self._stop.is_set():
            client = self._make_client()
            try:
                client.connect(self._endpoint.keep_alive_s)
            except (*SDK_ERRORS, OSError, ValueError) as error:
                log.warning("the IoT cloud cannot be reached: %s", type(error).__name__)
                self._stop.wait(RETRY_S)
                continue
            self._client = client
            self._subscribe()
            return

    def _make_client(self) -> Any:
        end = self._endpoint
        client = AWSIoTMQTTShadowClient(end.thing)
        client.configureEndpoint(end.host, end.port)
        client.configureCredentials(str(end.ca), str(end.private_key), str(end.certificate))
        client.configureSocketFactory(self._socket)
        client.configureAutoReconnectBackoffTime(0.5, 8, 5)
        client.configureConnectDisconnectTimeout(10)
        client.configureMQTTOperationTimeout(5)
        client.configureLastWill(f"lading/{end.thing}/status", json.dumps({"online": False}), 1)
        client.onOnline = self._on_online
        client.onOffline = self._on_offline
        # What is not sent now is sent by the journal's outbox, in order, and nothing is asked for late.
        client.getMQTTConnection().configureOfflinePublishQueueing(0)
        return client

    def _socket(self) -> socket.socket:
        made = socket.create_connection((self._endpoint.host, self._endpoint.port), timeout=10)
        # Without it a round trip waits for delayed acknowledgements: 44 ms instead of one.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def _subscribe(self) -> None:
        connection = self._client.getMQTTConnection()
        self._pending = set(self.topics)
        for topic in self.topics:
            # The SDK repeats these after a reconnect, with the same acknowledgement callback.
            connection.subscribeAsync(topic, 1, self._on_suback(topic), self._on_message)

    def _on_suback(self, topic: str) -> Callable[..., None]:
        def acknowledged(mid: int, data: object = None) -> None:  # noqa: ARG001
            self._pending.discard(topic)
            if not self._pending and not self._ready.is_set():
                self._ready.set()
                self._tell(True)

        return acknowledged

    def _on_message(self, _client: object, _data: object, message: Any) -> None:
        self._receive(message.topic, bytes(message.payload))

    def _on_online(self) -> None:
        self._pending = set(self.topics)

    def _on_offline(self) -> None:
        self._ready.clear()
        self._tell(False)

    def _goodbye(self) -> None:
        try:
            self._client.getMQTTConnection().publish(
                f"lading/{self._endpoint.thing}/status", json.dumps({"online": False}), 1
            )
            self._client.disconnect()
        except (*SDK_ERRORS, OSError) as error:
            log.info("the cloud was gone before the goodbye: %s", type(error).__name__)
