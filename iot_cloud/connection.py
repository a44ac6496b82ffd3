"""paho clients as the cloud itself uses them: mutual TLS, no Nagle, any number of messages in flight."""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


@dataclass(frozen=True)
class Endpoint:
    """Where the broker listens and what a client shows it."""

    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path


def new_client(name: str, endpoint: Endpoint, *, clean: bool, manual_ack: bool = False) -> mqtt.Client:
    """A client that is configured but not connected."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=clean, manual_ack=manual_ack)
    client.tls_set_context(tls_context(endpoint))
    client.max_inflight_messages_set(0)
    client.max_queued_messages_set(0)
    client.reconnect_delay_set(min_delay=1, max_delay=2)
    client.on_socket_open = _without_delay
    return client


def connect(client: mqtt.Client, endpoint: Endpoint) -> None:
    """Connect in the background and go on trying."""
    client.connect_async(endpoint.host, endpoint.port, keepalive=30)
    client.loop_start()


def tls_context(endpoint: Endpoint) -> ssl.SSLContext:
    """A client's side of mutual TLS."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(endpoint.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(endpoint.certificate, endpoint.key)
    return context


def _without_delay(_client: mqtt.Client, _userdata: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
