"""`lading-web up`: gunicorn, the index follower and the outbox, in the foreground."""

import argparse
import contextlib
import fcntl
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import httpx

from webapp.errors import SettingsError, WebError
from webapp.perseverance import persevere
from webapp.settings import Settings
from webapp.signals import on_stop

if TYPE_CHECKING:
    from webapp.services import Services

START_S = 120.0
Work = Callable[[threading.Event, float], object]


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("up", help="serve the pages, follow the chain, send what people signed")
    command.set_defaults(run=run)


def run(_chosen: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    from webapp.services import Services
    from webapp.serving import end, start

    settings = Settings()
    with _only_one(settings.folder / "lock"), _listening(settings) as listener:
        server = start(settings, listener)
        try:
            with contextlib.closing(Services.open(settings)) as parts:
                parts.database.migrate()
                return _serve(settings, parts, listener, server)
        finally:
            end(server)


def _only_one(path: Path) -> IO[str]:
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise SettingsError(f"Another lading-web already runs in this run folder ({path}).") from error
    return file


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"Port {settings.port} on {settings.host} is not free: set port in [web], 0 for any."
        ) from error
    listener.listen(512)
    return listener


def _serve(settings: Settings, parts: "Services", listener: socket.socket, server: ForkProcess) -> int:
    from webapp.serving import end

    stop = threading.Event()
    on_stop(stop.set)
    crashed: list[BaseException] = []
    workers = [_thread(stop, crashed, work, every_s) for work, every_s in _works(settings, parts)]
    ready = settings.folder / "ready.json"
    try:
        _tell(server, ready, f"http://{settings.host}:{listener.getsockname()[1]}", stop)
        while not stop.wait(0.2):
            if not server.is_alive():
                raise WebError(f"gunicorn ended by itself; see {settings.folder / 'gunicorn.log'}")
    finally:
        ready.unlink(missing_ok=True)
        stop.set()
        end(server)
        for worker in workers:
            worker.join(10)
    if crashed:
        raise WebError(str(crashed[0])) from crashed[0]
    return 0


def _works(settings: Settings, parts: "Services") -> list[tuple[Work, float]]:
    """Return what goes on beside the pages, each with its pause in seconds."""
    from webapp.alarms import AlarmKeeper
    from webapp.banner import Banner
    from webapp.index.follower import Follower
    from webapp.settling import Settler

    return [
        (Follower(parts.database, parts.chain).run, settings.poll_s),
        (Settler(parts.database, parts.chain, settings.confirmations).run, settings.poll_s),
        (_watcher(settings, parts).run, settings.poll_s),
        (AlarmKeeper(settings, parts.database, parts.chain).run, settings.poll_s),
        (Banner(parts).run, settings.poll_s),
        (_tidy(parts), 30.0),
    ]


def _tell(server: ForkProcess, ready: Path, url: str, stop: threading.Event) -> None:
    _await(server, url, stop)
    _write_ready(ready, {"pid": os.getpid(), "url": url})
    sys.stdout.write(f"lading-web serves {url}\n")
    sys.stdout.flush()


def _thread(stop: threading.Event, crashed: list[BaseException], work: Work, every_s: float) -> threading.Thread:
    def body() -> None:
        try:
            work(stop, every_s)
        except BaseException as error:  # noqa: BLE001  # whatever it is ends the whole process, in words
            crashed.append(error)
            stop.set()

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    return thread


def _watcher(settings: Settings, parts: "Services") -> Any:
    from webapp.cloud import Cloud
    from webapp.doorbell import Doorbell
    from webapp.watching import Watcher

    cloud = Cloud(settings, timeout_s=4.0)
    return Watcher(parts.database, parts.chain.chain_id, cloud, Doorbell(settings, cloud))


def _tidy(parts: "Services") -> Any:
    def tidied() -> bool:
        parts.vouchers.drop_consumed()
        return False

    return lambda stop, every_s: persevere(stop, every_s, "vouchers", tidied)


def _await(server: ForkProcess, url: str, stop: threading.Event) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and not stop.is_set():
        if not server.is_alive():
            raise WebError("gunicorn did not start; see gunicorn.log in the run folder.")
        try:
            if httpx.get(f"{url}/healthz", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            stop.wait(0.1)
    if not stop.is_set():
        raise WebError(f"gunicorn did not answer within {START_S:.0f} s; see gunicorn.log in the run folder.")


def _write_ready(path: Path, said: dict[str, Any]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(said))
    fresh.replace(path)
