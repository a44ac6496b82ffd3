"""From update to delta, beside the echo of the same message through the same broker; and updates a second."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as mqtt

from iot_cloud.bench.figure import Figure, percentile, spread
from iot_cloud.bench.stand import Stand
from iot_cloud.connection import connect, new_client

WAIT_S = 120.0
WARM_UP = 50


class Probe:
    """A device that sends updates and notes when what comes back."""

    def __init__(self, stand: Stand, thing: str, filters: tuple[str, ...]) -> None:
        self.prefix = f"$aws/things/{thing}/shadow"
        self.arrivals: dict[str, float] = {}
        self.accepted = 0
        self.changed = threading.Event()
        self._ready = threading.Event()
        endpoint = stand.endpoint(thing)
        self.client = new_client(thing, endpoint, clean=True)
        self.client.on_connect = lambda client, *_: client.subscribe([(f"{self.prefix}/{each}", 1) for each in filters])
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._note
        connect(self.client, endpoint)
        self._ready.wait(WAIT_S)

    def _note(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        kind = message.topic.rpartition("/")[2]
        self.arrivals[kind] = time.perf_counter()
        self.accepted += kind == "accepted"
        if kind in {"delta", "accepted"}:
            self.changed.set()

    def update(self, number: int) -> None:
        """Ask for a new desired value."""
        self.client.publish(f"{self.prefix}/update", json.dumps({"state": {"desired": {"n": number}}}), qos=1)

    def close(self) -> None:
        """Disconnect."""
        self.client.disconnect()
        self.client.loop_stop()


def latency(stand: Stand, rounds: int) -> Iterator[Figure]:
    """The echo of the request itself, and the delta that the service makes of it."""
    probe = Probe(stand, stand.things[0], ("update", "update/delta"))
    echoes, deltas = [], []
    for number in range(rounds + WARM_UP):
        probe.changed.clear()
        sent = time.perf_counter()
        probe.update(number)
        if not probe.changed.wait(WAIT_S):
            raise TimeoutError("no delta came")
        echoes.append((probe.arrivals["update"] - sent) * 1000)
        deltas.append((probe.arrivals["delta"] - sent) * 1000)
    probe.close()
    echoes, deltas = echoes[WARM_UP:], deltas[WARM_UP:]
    for percent, target in ((50, "<= 3.5 of the echo"), (99, "<= 8 of the echo")):
        figures = percentile(deltas, percent), "ms", percentile(echoes, percent), "echo"
        yield Figure(f"update → delta, p{percent}", *figures, target, spread(deltas, percent))


def throughput(stand: Stand, rounds: int) -> Iterator[Figure]:
    """Accepted updates a second, sent without waiting."""
    probe = Probe(stand, stand.things[0], ("update/accepted",))
    started = time.perf_counter()
    for number in range(rounds):
        probe.update(number)
    while probe.accepted < rounds:
        probe.changed.clear()
        if not probe.changed.wait(WAIT_S):
            raise TimeoutError("not all updates were accepted")
    taken = time.perf_counter() - started
    probe.close()
    yield Figure("accepted updates, one sender on the same cores", round(rounds / taken), "/s")
