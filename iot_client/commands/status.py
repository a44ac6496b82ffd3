"""`lading-pi status`."""

import argparse
import json

from iot_client.__main__ import settings_of
from iot_client.admin import ask_pi


def run(arguments: argparse.Namespace) -> int:
    """Say what the running Pi is doing."""
    settings = settings_of(arguments)
    status = ask_pi(settings.folder / "admin.sock", {"do": "status"})
    if arguments.json:
        print(json.dumps(status))
        return 0
    for name, value in status.items():
        print(f"{name:10} {value}")
    return 0
