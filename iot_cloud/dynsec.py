"""Changes of rights in the running broker, through the dynamic-security plugin's control topic."""

import json
import threading
import uuid
from typing import Any

import paho.mqtt.client as mqtt

from iot_cloud.connection import Endpoint, connect, new_client
from iot_cloud.errors import BrokerRefusalError
from iot_cloud.names import ADMIN
from iot_cloud.policy import Role, broker_client, broker_role, role_name

CONTROL = "$CONTROL/dynamic-security/v1"
WAIT_S = 10.0
ALREADY_SO = ("already exists", "not found")


class BrokerRights:
    """Grants and withdraws, one command at a time."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._answers: dict[str, Any] = {}
        self._changed = threading.Condition()
        self._listening = False
        self._client = new_client(ADMIN, endpoint, clean=True)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        connect(self._client, endpoint)

    def admit(self, name: str, role: Role) -> None:
        """Give a client its rights."""
        self._command({"command": "createRole", **broker_role(role, name)})
        self._command({"command": "createClient", **broker_client(name)})

    def expel(self, name: str) -> None:
        """Take a client's rights and end its session."""
        self._command({"command": "deleteClient", "username": name})
        self._command({"command": "deleteRole", "rolename": role_name(name)})

    def wait_until_listening(self, timeout_s: float) -> bool:
        """Whether the broker took the connection in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._listening, timeout_s)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _command(self, command: dict[str, Any]) -> None:
        if not self.wait_until_listening(WAIT_S):
            raise BrokerRefusalError("the broker does not answer; see broker.log")
        token = uuid.uuid4().hex
        body = {"commands": [command | {"correlationData": token}]}
        self._client.publish(CONTROL, json.dumps(body), qos=1)
        with self._changed:
            if not self._changed.wait_for(lambda: token in self._answers, WAIT_S):
                raise BrokerRefusalError(f"the broker did not answer {command['command']}")
            error = self._answers.pop(token).get("error")
        if error and not any(text in error for text in ALREADY_SO):
            raise BrokerRefusalError(f"the broker refused {command['command']}: {error}")

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe(f"{CONTROL}/response", qos=1)

    def _on_subscribe(self, *_: Any) -> None:
        self._set_listening(True)

    def _on_disconnect(self, *_: Any) -> None:
        self._set_listening(False)

    def _set_listening(self, listening: bool) -> None:
        with self._changed:
            self._listening = listening
            self._changed.notify_all()

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        with self._changed:
            for answer in json.loads(message.payload)["responses"]:
                self._answers[answer.get("correlationData", "")] = answer
            self._changed.notify_all()
