"""`lading-pi run`."""

import argparse

from iot_client.__main__ import settings_of
from iot_client.log import set_up_log


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    from iot_client.pi import serve

    settings = settings_of(arguments)
    set_up_log(settings.folder / "log.jsonl", verbose=arguments.verbose)
    serve(settings)
    return 0
