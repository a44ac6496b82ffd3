"""Fault points: a Pi that kills itself, by SIGKILL, right before or after the act that its file `fault` names.

The file is read at each act, so that a Pi which runs can be given its next death; who dies removes it first. While a
file `mute` is there, the cloud hears no request of this Pi: so a release comes too late. The file `mode` holds how the
gate behaves at its next pulse.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import iot_client.scanner.folder
from iot_client.attendant import Attendant
from iot_client.chain.node import Node
from iot_client.cloud.shadow import Shadow
from iot_client.gate.simulated import SimulatedGate, set_mode
from iot_client.journal import Journal
from iot_client.loop import Loop
from iot_client.machine import advance
from iot_client.opening import Opening
from iot_client.pi import Parts, make_parts
from iot_client.releases import Releases
from iot_client.settings import PiSettings

CHECKS = ("decoded", "genuine", "owned")
STATES = ("consumed", "late", "intent", "actuated", "sensed", "completed", "aborting", "aborted", "case", "refused")
WORKS = ("begin", "send:0", "ask", "accepted", "delta", "pulse", "send:1", "clear", "recover")
ACTS = (*(f"check:{state}" for state in CHECKS), *WORKS, *(f"move:{state}" for state in STATES))
POINTS = tuple(f"{side}:{act}" for act in ACTS for side in ("before", "after"))

Aim = tuple[type, str, Callable[..., str]]
AIMS: tuple[Aim, ...] = (
    (Attendant, "_step", lambda _, visit, event: f"check:{advance(visit.state, event).to}"),
    (Journal, "move", lambda _journal, _key, _event, to, *_: f"move:{to}"),
    (Journal, "begin", lambda *_: "begin"),
    (Node, "send", lambda *_: "send:0"),
    (Shadow, "ask", lambda *_: "ask"),
    (Shadow, "clear", lambda *_: "clear"),
    (Opening, "accepted", lambda *_: "accepted"),
    (Opening, "wanted", lambda *_: "delta"),
    (Releases, "recover", lambda *_: "recover"),
    (SimulatedGate, "pulse", lambda *_: "pulse"),
)


def arm(folder: Path, fault: str) -> None:
    """Have the Pi of this folder die there next."""
    draft = folder / ".fault"
    draft.write_text(fault)
    draft.replace(folder / "fault")


def disarm(folder: Path, *, also: tuple[str, ...] = ("mute",)) -> None:
    """Let it live."""
    for name in ("fault", *also):
        (folder / name).unlink(missing_ok=True)


def mortal_parts(settings: PiSettings) -> Parts:
    """The real parts, each of which may be deadly; idle threads look less often, since many Pis share a machine."""
    iot_client.scanner.folder.POLL_S = 0.2
    SimulatedGate.EVERY_S = 0.1
    setattr(Loop.__init__, "__defaults__", (0.2,))  # noqa: B010
    for owner, method, name_of in AIMS:
        setattr(owner, method, _mortal(settings.folder, getattr(owner, method), name_of))
    setattr(SimulatedGate, "pulse", _moody(settings.folder, SimulatedGate.pulse))  # noqa: B010
    setattr(Shadow, "ask", _mutable(settings.folder, Shadow.ask))  # noqa: B010  # mypy takes no assignment to a method
    return make_parts(settings)


def _mortal(folder: Path, original: Callable[..., Any], name_of: Callable[..., str]) -> Callable[..., Any]:
    def deadly(*arguments: Any, **named: Any) -> Any:
        name = name_of(*arguments)
        _die_if(folder, f"before:{name}")
        result = original(*arguments, **named)
        _die_if(folder, f"after:{name}")
        return result

    return deadly


def _mutable(folder: Path, original: Callable[..., bool]) -> Callable[..., bool]:
    def ask(*arguments: Any) -> bool:
        return False if (folder / "mute").exists() else original(*arguments)

    return ask


def _moody(folder: Path, original: Callable[[SimulatedGate], None]) -> Callable[[SimulatedGate], None]:
    def pulse(gate: SimulatedGate) -> None:
        if (folder / "mode").exists():
            set_mode(folder / "gate.json", (folder / "mode").read_text())
        original(gate)

    return pulse


def _die_if(folder: Path, reached: str) -> None:
    try:
        wanted = (folder / "fault").read_text()
    except FileNotFoundError:
        return
    if wanted == reached:
        (folder / "fault").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    if wanted == reached.replace("send:0", "send:1"):
        arm(folder, reached)  # the next sending is the one that is meant
