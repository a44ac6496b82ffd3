"""What the subcommands of lading-gateway do, apart from `up`."""

import json
import os
import signal
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from proxy import listeners
from proxy.admin import request_admin
from proxy.errors import GatewayError, NotRunningError, RefusedError
from proxy.material import Material, read_material
from proxy.nginx import Nginx
from proxy.poller import is_silent
from proxy.render import Situation, render
from proxy.settings import Settings, sayable
from proxy.store import Store

STOP_S = 30.0
ANY_PORT = 61000


def call(settings: Settings, method: str, target: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the running gateway.

    Raises:
        NotRunningError: there is none.
        RefusedError: it said no.
    """
    try:
        status, answer = request_admin(settings.folder / "admin.sock", method, target, body)
    except OSError as error:
        raise NotRunningError(f"no gateway runs in {settings.folder}; start it with lading-gateway up") from error
    if status >= 400:
        raise RefusedError(answer["error"]["message"])
    return answer


def stop(settings: Settings) -> None:
    """Stop the gateway of this run folder and wait until it is gone.

    Raises:
        NotRunningError: there is none.
    """
    ready = settings.folder / "ready.json"
    try:
        pid = int(json.loads(ready.read_text())["pid"])
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError, KeyError) as error:
        raise NotRunningError(f"no gateway runs in {settings.folder}") from error
    deadline = time.monotonic() + STOP_S
    while _alive(pid):
        if time.monotonic() > deadline:
            raise GatewayError(f"the gateway (process {pid}) does not stop")
        time.sleep(0.05)


def ready(settings: Settings) -> dict[str, Any]:
    """What ready.json says.

    Raises:
        NotRunningError: no gateway serves.
    """
    try:
        found: dict[str, Any] = json.loads((settings.folder / "ready.json").read_text())
    except (OSError, ValueError) as error:
        raise NotRunningError(f"no gateway runs in {settings.folder}") from error
    if not _alive(int(found["pid"])):
        raise NotRunningError(f"the gateway of {settings.folder} has died")
    return found


def write_configuration(settings: Settings, folder: Path) -> None:
    """Write nginx's configuration for a company's own nginx to include, once nginx has taken it in a test.

    Raises:
        GatewayError: what is wrong; nothing is written.
    """
    sayable(folder)
    material, store = read_material(settings), Store(settings.folder)
    _rehearse(settings, material)
    addresses = {name: (host, port or 1) for name, (host, port) in listeners.wanted(settings).items()}
    files = render(settings, material, Situation(store.load(), store.key(), addresses), folder)
    for needed in (folder, settings.folder / "logs"):
        needed.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)


def check(settings: Settings) -> list[str]:
    """Examine everything without touching a running gateway; the warnings.

    Raises:
        GatewayError: the first thing that would keep the gateway from serving.
    """
    material = read_material(settings)
    if not _runs(settings):
        for listener in listeners.bind(listeners.wanted(settings)).values():
            listener.close()
    _rehearse(settings, material)
    silent = [url for url in settings.upstreams if is_silent(url, 2)]
    warnings = [f"upstream {url} does not answer now" for url in silent]
    if settings.key.stat().st_mode & 0o077:
        warnings.append(f"{settings.key} can be read by others: chmod 600 {settings.key}")
    return warnings


def _rehearse(settings: Settings, material: Material) -> None:
    with TemporaryDirectory(prefix="lading-") as scratch:
        moved = settings.model_copy(update={"home": Path(scratch)})
        nginx = Nginx(moved)
        nginx.prepare()
        # Ports that anybody may bind; those that were asked for are not this test's to try.
        ports = {name: ("127.0.0.1", ANY_PORT + number) for number, name in enumerate(listeners.wanted(settings))}
        situation = Situation(Store(settings.folder).load(), bytes(32), ports)
        nginx.install(render(moved, material, situation, nginx.next_folder()))


def _runs(settings: Settings) -> bool:
    try:
        ready(settings)
    except NotRunningError:
        return False
    return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def status(settings: Settings) -> dict[str, Any]:
    """Addresses, and what /healthz says.

    Raises:
        NotRunningError: no gateway serves.
    """
    found = ready(settings)
    line = HTTPConnection(found["status"].removeprefix("http://"), timeout=5)
    try:
        line.request("GET", "/healthz")
        return {**found, "health": json.loads(line.getresponse().read())}
    except (OSError, HTTPException, ValueError) as error:
        raise NotRunningError(f"the gateway of {settings.folder} does not answer") from error
    finally:
        line.close()
