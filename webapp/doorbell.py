"""Hears over MQTT that something about a thing has changed; what changed is then asked for over HTTPS."""

import contextlib
import logging
import socket
import threading
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from webapp.cloud import Cloud
from webapp.errors import CloudError
from webapp.settings import Settings

LOG = logging.getLogger(__name__)
TOPICS = ("$aws/things/+/shadow/update/documents", "lading/+/events", "lading/+/status")


class Doorbell:
    """Collects the names of things that rang; a message lost costs time and nothing else."""

    def __init__(self, settings: Settings, cloud: Cloud) -> None:
        """Listen at the cloud of these settings; it need not be there yet."""
        self._settings = settings
        self._cloud = cloud
        self._client: mqtt.Client | None = None
        self._address: tuple[str, int] | None = None
        self._rang: set[str] = set()
        self._condition = threading.Condition()

    def listen(self) -> None:
        """Connect where the cloud is now; nothing while it is nowhere."""
        said = self._settings.ready("cloud")
        address = (str(said.get("host")), int(said["mqtt_port"])) if said.get("mqtt_port") else None
        if address is None or address == self._address:
            return
        self.close()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self._settings.thing)
        try:
            client.tls_set_context(self._cloud.tls())
        except CloudError:
            return
        client.reconnect_delay_set(min_delay=1, max_delay=4)
        client.on_connect, client.on_message, client.on_socket_open = _subscribe, self._on_message, _without_delay
        client.connect_async(*address, keepalive=30)
        client.loop_start()
        self._client, self._address = client, address

    def ring(self, thing: str = "") -> None:
        """Wake whoever waits."""
        with self._condition:
            self._rang |= {thing} - {""}
            self._condition.notify_all()

    def wait(self, patience_s: float) -> set[str]:
        """Return the things that rang since the last call; empty after that time."""
        with self._condition:
            if not self._rang:
                self._condition.wait(patience_s)
            rang, self._rang = self._rang, set()
            return rang

    def close(self) -> None:
        """Stop listening."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = self._address = None

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        parts = message.topic.split("/")
        self.ring(parts[2] if parts[0] == "$aws" else parts[1])


def _subscribe(client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
    if code.is_failure:
        LOG.info("doorbell: the broker refused: %s", code)
        return
    for topic in TOPICS:
        client.subscribe(topic, qos=0)


def _without_delay(_client: mqtt.Client, _data: Any, sock: Any) -> None:
    # Small packets wait for an acknowledgement otherwise.
    with contextlib.suppress(OSError, AttributeError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
