"""`lading-web api`: ask the API from a shell, with a token; `--events` listens."""

import argparse
import json
import os
import sys
from typing import Any

from webapp.errors import Refused
from webapp.settings import Settings

TOKEN = "LADING_TOKEN"  # noqa: S105  # the variable's name


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("api", help="ask the API, such as `api /blocks limit=3`; `--events` listens")
    command.add_argument("path", nargs="?", default="/me", help="below /api/v1")
    command.add_argument("query", nargs="*", help="name=value")
    command.add_argument("--url", default="", help="where the application is; by default the one of this run folder")
    command.add_argument("--events", action="store_true", help="print events as they come, one JSON object a line")
    command.add_argument("--after", default="", help="with --events: go on after this event's id")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Print what the API answers; the token comes from the environment variable LADING_TOKEN."""
    from webapp.client import ApiError, Client

    url = chosen.url or str(Settings().ready("web").get("url", ""))
    if not url:
        raise Refused("No lading-web runs in this run folder: start it, or name one with --url.")
    query = dict(pair.split("=", 1) for pair in chosen.query if "=" in pair)
    try:
        with Client(url, os.environ.get(TOKEN, "")) as client:
            if not chosen.events:
                _say(client.get(chosen.path, **query))
                return 0
            for happened in client.events(chosen.after, **query):
                _say({"id": happened.id, "event": happened.kind, **happened.data})
    except ApiError as error:
        raise Refused(str(error)) from error
    return 0


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what, ensure_ascii=False) + "\n")
    sys.stdout.flush()
