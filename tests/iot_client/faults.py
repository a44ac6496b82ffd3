"""Fault points: a Pi whose journal, gate, chain and cloud kill it, by SIGKILL, right before or after one act."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from iot_client.chain.node import Node
from iot_client.cloud.shadow import Shadow
from iot_client.gate.simulated import SimulatedGate
from iot_client.journal import Journal
from iot_client.pi import Parts, make_parts
from iot_client.settings import PiSettings

STATES = ("consumed", "intent", "actuated", "sensed", "completed")
ACTS = ("begin", *(f"move:{state}" for state in STATES), "pulse", "send:0", "send:1", "ask", "clear")
POINTS = tuple(f"{side}:{act}" for act in ACTS for side in ("before", "after"))


def die() -> None:
    """End like a power cut that spares the disk's cache."""
    os.kill(os.getpid(), signal.SIGKILL)


def faulty_parts(settings: PiSettings, fault: str) -> Parts:
    """The real parts, one of them deadly at this point."""
    side, act = fault.split(":", 1)
    parts = make_parts(settings)
    owner, method, applies = _aim(act)
    original = getattr(owner, method)

    def deadly(*arguments: Any, **named: Any) -> Any:
        meant = applies(*arguments)
        if meant and side == "before":
            die()
        result = original(*arguments, **named)
        if meant and side == "after":
            die()
        return result

    setattr(owner, method, deadly)
    return parts


def _aim(act: str) -> tuple[type, str, Callable[..., bool]]:
    """Which method of which part, and which of its calls."""
    name, _, which = act.partition(":")
    calls = iter(range(1_000))
    aims: dict[str, tuple[type, str, Callable[..., bool]]] = {
        "begin": (Journal, "begin", lambda *_: True),
        "move": (Journal, "move", lambda _journal, _key, _event, to, *_: to == which),
        "pulse": (SimulatedGate, "pulse", lambda *_: True),
        "send": (Node, "send", lambda *_: next(calls) == int(which)),
    }
    return aims.get(name, (Shadow, name, lambda *_: True))
