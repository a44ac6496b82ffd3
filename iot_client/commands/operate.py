"""`lading-pi resolve`, `open` and `simulate`: what an operator does on the machine."""

import argparse

from iot_client.__main__ import settings_of
from iot_client.admin import ask_pi
from iot_client.errors import ConfigError, PiError
from iot_client.gate.simulated import set_mode


def resolve(arguments: argparse.Namespace) -> int:
    """Settle a case."""
    question = {"do": arguments.outcome, "sale": arguments.sale, "attempt": arguments.attempt}
    return _order(arguments, question | {"reason": arguments.reason})


def open_gate(arguments: argparse.Namespace) -> int:
    """Open by hand."""
    question = {"do": "open", "sale": arguments.sale, "attempt": arguments.attempt}
    return _order(arguments, question | {"reason": arguments.reason})


def simulate(arguments: argparse.Namespace) -> int:
    """Set the simulated gate's mode."""
    settings = settings_of(arguments)
    if settings.gate != "simulated":
        raise ConfigError("this gate is a real one")
    set_mode(settings.folder / "gate.json", arguments.mode)
    return 0


def _order(arguments: argparse.Namespace, question: dict[str, object]) -> int:
    answer = ask_pi(settings_of(arguments).folder / "admin.sock", question)
    if answer.get("outcome") != "done":
        raise PiError(str(answer.get("outcome") or answer.get("error")))
    print("done")
    return 0
