"""`lading-gateway up`: everything that runs while the gateway serves, in the foreground."""

import fcntl
import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from proxy.admin import AdminServer
from proxy.errors import AlreadyRunningError, GatewayError, PortTakenError
from proxy.gateway import Gateway
from proxy.poller import Poller
from proxy.render import needs_tls
from proxy.settings import Settings
from proxy.signals import on_stop
from proxy.status import StatusServer
from proxy.store import write_secret
from proxy.watch import DiskWatch, RevocationWatch, Watch

TICK_S = 0.25


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        GatewayError: says why it could not start.
    """
    stop = threading.Event()
    on_stop(stop.set)
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_locked(settings.folder / "lock"))
        (settings.folder / "ready.json").unlink(missing_ok=True)
        gateway = Gateway(settings)
        gateway.start()
        stack.callback(gateway.stop)
        poller = Poller(settings, gateway.set_down)
        poller.poll()
        watches = (DiskWatch(gateway), RevocationWatch(gateway))
        status = _status_server(settings, gateway, poller, watches)
        admin = AdminServer(settings.folder / "admin.sock", gateway)
        stack.callback((settings.folder / "admin.sock").unlink, missing_ok=True)
        for server in (admin, status):
            _in_background(server.serve_forever)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
        polling = _in_background(lambda: poller.run(stop))
        stack.callback(polling.join)
        stack.callback(stop.set)
        stack.enter_context(_ready(settings, gateway, status))
        _supervise(gateway, stop, watches)


def _supervise(gateway: Gateway, stop: threading.Event, watches: Iterable[Watch]) -> None:
    while not stop.wait(TICK_S):
        for watch in watches:
            try:
                watch.look()
            except (GatewayError, OSError) as error:
                watch.trouble = str(error)
        if (complaint := gateway.nginx.failure()) is not None:
            print(f"nginx ended ({complaint}); starting it again", file=sys.stderr, flush=True)
            gateway.revive()


def _in_background(work: object) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def _status_server(settings: Settings, gateway: Gateway, poller: Poller, watches: Iterable[Watch]) -> StatusServer:
    try:
        return StatusServer(("127.0.0.1", settings.status_port), gateway, poller, watches)
    except OSError as error:
        raise PortTakenError(f"status: cannot listen on 127.0.0.1:{settings.status_port}: {error.strerror}") from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunningError(
                f"a gateway runs already in {path.parent}; stop it with lading-gateway down"
            ) from error
        yield


@contextmanager
def _ready(settings: Settings, gateway: Gateway, status: StatusServer) -> Iterator[None]:
    path = settings.folder / "ready.json"
    addresses = gateway.addresses
    urls = {
        "devices": _url("https", addresses["devices"]),
        "wallets": _url("https" if needs_tls(settings.wallets_host) else "http", addresses["wallets"]),
        "status": _url("http", ("127.0.0.1", status.server_port)),
        "web": _url("https", addresses["web"]) if "web" in addresses else None,
    }
    write_secret(path, json.dumps({"pid": os.getpid(), **urls}, indent=2).encode())
    print(f"the gateway serves: {', '.join(f'{name} {url}' for name, url in urls.items() if url)}", flush=True)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _url(scheme: str, address: tuple[str, int]) -> str:
    host, port = address
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
