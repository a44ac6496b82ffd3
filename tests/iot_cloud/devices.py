"""Devices as tests use them: paho, and AWS's own Python SDK."""

import json
import threading
from typing import Any

import paho.mqtt.client as mqtt
from AWSIoTPythonSDK.MQTTLib import AWSIoTMQTTClient

from iot_cloud.connection import Endpoint, new_client
from tests.iot_cloud.running import WAIT_S, wait_until


class PahoDevice:
    """Connects, remembers everything it receives."""

    def __init__(self, name: str, endpoint: Endpoint, will: tuple[str, str] | None = None) -> None:
        self.name = name
        self.received: list[tuple[str, Any]] = []
        self.codes: dict[int, Any] = {}
        self.topics: list[str] = []
        self.connected = threading.Event()
        self.disconnects = 0
        self.client = new_client(name, endpoint, clean=True)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message
        self.client.on_subscribe = self._on_subscribe
        if will:
            self.client.will_set(*will, qos=1)
        self.client.connect_async(endpoint.host, endpoint.port, keepalive=30)
        self.client.loop_start()

    @property
    def prefix(self) -> str:
        """What its shadow's topics begin with."""
        return f"$aws/things/{self.name}/shadow"

    def online(self) -> "PahoDevice":
        """Itself, once connected."""
        assert self.connected.wait(WAIT_S)
        return self

    def subscribe(self, *topics: str) -> bool:
        """Whether every subscription was granted."""
        numbers = [self.client.subscribe(topic, qos=1)[1] for topic in topics]
        wait_until(lambda: self.codes.keys() >= set(numbers), "the subscriptions' acknowledgement")
        granted = not any(self.codes[number].is_failure for number in numbers)
        if granted:
            self.topics += topics
        return granted

    def publish(self, topic: str, body: Any) -> None:
        """Publish and wait for the acknowledgement, across a reconnection if one comes in between."""
        payload = body if isinstance(body, bytes | str) else json.dumps(body)
        sent = self.client.publish(topic, payload, qos=1)
        if sent.rc == mqtt.MQTT_ERR_NO_CONN:  # kept by paho, and sent once it is connected again
            wait_until(lambda: sent._published, f"the acknowledgement of {topic}")
        else:
            sent.wait_for_publish(WAIT_S)

    def update(self, state: Any, **more: Any) -> None:
        """Ask for an update of the classic shadow."""
        self.publish(f"{self.prefix}/update", {"state": state} | more)

    def bodies(self, suffix: str) -> list[Any]:
        """What came on topics that end so."""
        return [body for topic, body in list(self.received) if topic.endswith(suffix)]

    def expect(self, suffix: str, **facts: Any) -> Any:
        """The first message on such a topic that carries these facts."""

        def found() -> Any:
            bodies = [each for each in self.bodies(suffix) if facts.items() <= each.items()]
            return bodies and bodies[0]

        return wait_until(found, f"{suffix} with {facts}")

    def close(self) -> None:
        """Disconnect."""
        self.client.disconnect()
        self.client.loop_stop()

    def _on_connect(self, client: mqtt.Client, _userdata: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if not code.is_failure:
            for topic in self.topics:
                client.subscribe(topic, qos=1)
            self.connected.set()

    def _on_subscribe(self, _client: mqtt.Client, _userdata: Any, number: int, codes: Any, _properties: Any) -> None:
        self.codes[number] = codes[0]

    def _on_disconnect(self, *_: Any) -> None:
        self.connected.clear()
        self.disconnects += 1

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        try:
            body = json.loads(message.payload)
        except ValueError:
            body = {"raw": message.payload}
        self.received.append((message.topic, body))


def sdk_client(name: str, endpoint: Endpoint) -> AWSIoTMQTTClient:
    """AWSIoTPythonSDK's client."""
    return configured(AWSIoTMQTTClient(name), endpoint)


def configured(client: Any, endpoint: Endpoint) -> Any:
    """One of AWSIoTPythonSDK's clients, configured as for AWS but for the endpoint."""
    client.configureEndpoint(endpoint.host, endpoint.port)
    client.configureCredentials(str(endpoint.ca), str(endpoint.key), str(endpoint.certificate))
    client.configureConnectDisconnectTimeout(30)
    client.configureMQTTOperationTimeout(30)
    return client
