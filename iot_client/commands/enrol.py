"""`lading-pi enrol`: keys and consent first, the operator's bundle second."""

import argparse
import json
from typing import Any

from iot_client.errors import EnrolmentError
from iot_client.identity.enrolment import Request, accept_bundle, default_until, enrol
from iot_client.settings import home


def run(arguments: argparse.Namespace) -> int:
    """Print the enrolment, or write what the bundle brings."""
    return _take(arguments) if arguments.bundle else _ask(arguments)


def _ask(arguments: argparse.Namespace) -> int:
    thing = arguments.name or arguments.thing
    wanted = {"--thing": thing, "--site": arguments.site, "--operator": arguments.operator,
              "--chain-id": arguments.chain_id, "--registry": arguments.registry}  # fmt: skip
    missing = [name for name, value in wanted.items() if value is None]
    if missing:
        raise EnrolmentError(f"also needed: {', '.join(missing)}")
    request = Request(
        thing, arguments.site, arguments.operator, arguments.chain_id, arguments.registry,
        arguments.until or default_until(), arguments.device_id,
    )  # fmt: skip
    print(json.dumps(enrol(home() / "pi" / thing, request), indent=1))
    return 0


def _take(arguments: argparse.Namespace) -> int:
    try:
        bundle: Any = json.loads(arguments.bundle.read_text())
        thing = bundle["thing"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EnrolmentError(f"{arguments.bundle} is no bundle of an operator: {error}") from error
    path = accept_bundle(home() / "pi" / thing, bundle)
    print(f"enrolled as device {bundle['device_id']} at site {bundle['site']}: {path}")
    return 0
