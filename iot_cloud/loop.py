"""The thread that a paho client's network runs on, where what is published leaves at once.

paho's own loop sends nothing before a callback returns, so that a delta would wait for all that is sent after it.
Here messages are handled between two turns of the network, and `flush` writes what is queued so far.
"""

import contextlib
import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt

from iot_cloud.connection import Endpoint

RETRY_S = 0.2
IDLE_S = 1.0
STOP_TIMEOUT_S = 10.0


class NetworkLoop:
    """Connects, stays connected, hands over each message.

    Args:
        client: configured; its `on_message` and write callbacks are taken over.
        handle: called with each message; must not raise.
        tick: called at least every second while connected.
    """

    def __init__(
        self, client: mqtt.Client, handle: Callable[[mqtt.MQTTMessage], None], tick: Callable[[], None]
    ) -> None:
        self._client, self._handle, self._tick = client, handle, tick
        self._came: deque[mqtt.MQTTMessage] = deque()
        self._stopping = threading.Event()
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)
        client.on_message = lambda _client, _userdata, message: self._came.append(message)
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)
        # Another thread has queued a packet: only this one writes, for a TLS connection has one writer.
        client.on_socket_register_write = self._wake

    def start(self, endpoint: Endpoint) -> None:
        """Connect in the background and go on trying."""
        self._client.connect_async(endpoint.host, endpoint.port, keepalive=30)
        self._thread.start()

    def stop(self) -> None:
        """Send what is queued and disconnect."""
        self._stopping.set()
        self._client.disconnect()
        self._wake()
        self._thread.join(STOP_TIMEOUT_S)

    def flush(self) -> None:
        """Write what is queued, if this is the network's thread; another one's packets leave with the next turn."""
        if threading.get_ident() == self._thread.ident:
            self._client.loop_write()

    def _run(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(OSError):
                self._client.reconnect()
            while (connection := self._client.socket()) is not None:
                self._turn(connection)
            self._stopping.wait(RETRY_S)

    def _turn(self, connection: Any) -> None:
        poll = select.poll()
        poll.register(connection, select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
        poll.register(self._woken, select.POLLIN)
        poll.poll(0 if connection.pending() else IDLE_S * 1000)
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        self._client.loop_read()
        while self._came:
            self._handle(self._came.popleft())
        self._client.loop_write()
        self._client.loop_misc()
        self._tick()

    def _wake(self, *_: Any) -> None:
        if threading.get_ident() == self._thread.ident:
            return
        with contextlib.suppress(BlockingIOError):
            self._waker.send(b"\0")
