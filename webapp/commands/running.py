"""`lading-web status|down`: what the running application says of itself, and its end."""

import argparse
import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from webapp.errors import SettingsError
from webapp.settings import Settings

DOWN_S = 60.0


def add(commands: Any) -> None:
    """Add the commands."""
    status = commands.add_parser("status", help="where it serves, and whether chain, index and outbox are well")
    status.add_argument("--json", action="store_true")
    status.set_defaults(run=_status)
    commands.add_parser("down", help="stop it and wait until it is gone").set_defaults(run=_down)


def _ready(settings: Settings) -> dict[str, Any]:
    ready = settings.ready("web")
    if not ready or not _held(settings.folder / "lock"):
        raise SettingsError(f"no web application runs in {settings.folder}; start it with lading-web up")
    return ready


def _held(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _status(chosen: argparse.Namespace) -> int:
    ready = _ready(Settings())
    facts = {**ready, **_health(ready["url"])}
    lines = (f"{name:<10} {value}" for name, value in facts.items())
    sys.stdout.write((json.dumps(facts) if chosen.json else "\n".join(lines)) + "\n")
    return 0 if facts.get("status") == "ok" else 1


def _health(url: str) -> dict[str, Any]:
    try:
        said = httpx.get(f"{url}/healthz", timeout=10).json()
    except (httpx.HTTPError, ValueError) as error:
        raise SettingsError(f"{url} does not answer: {error}") from error
    return dict(said)


def _down(_chosen: argparse.Namespace) -> int:
    settings = Settings()
    os.kill(int(_ready(settings)["pid"]), signal.SIGTERM)
    deadline = time.monotonic() + DOWN_S
    while _held(settings.folder / "lock"):
        if time.monotonic() > deadline:
            raise SettingsError(f"it does not stop; see {settings.folder / 'gunicorn.log'}")
        time.sleep(0.05)
    return 0
