"""`lading-cloud watch`: what happens, a line a message."""

import argparse
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt

from iot_cloud import operator_shadow
from iot_cloud.connection import connect, new_client
from iot_cloud.errors import CloudError
from iot_cloud.home import CloudHome
from iot_cloud.internal import internal_endpoint
from iot_cloud.names import OPERATOR
from iot_cloud.settings import Settings

POLL_S = 2.0


def watch(
    home: CloudHome, settings: Settings, thing: str | None, say: Callable[[str], None], options: argparse.Namespace
) -> None:
    """Print until interrupted: messages of the running cloud, or an AWS shadow whenever it changed."""
    if options.aws:
        _poll(home, settings, thing, say, options)
        return
    facts = home.read_ready()
    endpoint = internal_endpoint(home, facts["host"], facts["mqtt_port"], OPERATOR)
    which = thing or "+"
    filters = [
        f"$aws/things/{which}/shadow/update/documents",
        f"$aws/things/{which}/shadow/name/+/update/documents",
        f"$aws/events/presence/+/{which}",
        f"lading/{which}/+",
    ]

    def subscribe(client: mqtt.Client, *_: Any) -> None:
        client.subscribe([(each, 1) for each in filters])

    def tell(_client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        say(f"{time.strftime('%H:%M:%S')} {message.topic} {message.payload.decode(errors='replace')}")

    client = new_client(OPERATOR, endpoint, clean=True)
    client.on_connect, client.on_message = subscribe, tell
    connect(client, endpoint)
    threading.Event().wait()


def _poll(
    home: CloudHome, settings: Settings, thing: str | None, say: Callable[[str], None], options: argparse.Namespace
) -> None:
    if thing is None:
        raise CloudError("watch --aws needs a thing's name: AWS tells a client with credentials nothing unasked")
    options.action, options.name = "get", None
    version = -1
    while True:
        answer = operator_shadow.ask(home, settings, thing, document=None, options=options)
        if options.dry_run:
            say(json.dumps(answer))
            return
        if answer["version"] != version:
            version = answer["version"]
            say(f"{time.strftime('%H:%M:%S')} {json.dumps(answer)}")
        time.sleep(POLL_S)
