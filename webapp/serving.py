"""gunicorn as a forked child: it shares what the parent has loaded, and loads by itself what only pages need."""

import ctypes
import importlib
import multiprocessing
import os
import signal
import socket
from multiprocessing.context import ForkProcess
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from webapp.settings import Settings

PR_SET_PDEATHSIG = 1


class Pages(BaseApplication):  # type: ignore[misc]  # gunicorn is not typed
    """The application under gunicorn, configured by our settings alone."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        """Serve on a socket that already listens."""
        self._settings = settings
        self._options: dict[str, Any] = {
            "bind": [f"fd://{listener.fileno()}"],
            "workers": settings.workers,
            "threads": settings.threads,
            "worker_class": "gthread",
            "timeout": 120,
            "graceful_timeout": 3,
            "worker_tmp_dir": "/dev/shm",  # noqa: S108  # where a heartbeat file costs no disk
            "errorlog": str(settings.folder / "gunicorn.log"),
            # It would lie in the home folder of whoever starts this.
            "control_socket_disable": True,
            "forwarded_allow_ips": "127.0.0.1" if settings.trusted_proxies else "",
        }
        super().__init__()

    def load_config(self) -> None:
        """Take the options."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Make the application, in the worker: no connection is shared between processes."""
        from webapp.app import create_app

        return create_app(self._settings)


def start(settings: Settings, listener: socket.socket) -> ForkProcess:
    """Start serving; call it before there are threads or connections."""
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(settings, listener, os.getpid()))
    process.start()
    return process


def _serve(settings: Settings, listener: socket.socket, parent: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        return
    log = os.open(settings.folder / "gunicorn.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.set_inheritable(listener.fileno(), True)
    importlib.import_module("webapp.app")  # once for all workers, and not in the parent, which serves no page
    Pages(settings, listener).run()


def end(process: ForkProcess, patience_s: float = 15) -> None:
    """Stop serving."""
    process.terminate()
    process.join(patience_s)
    if process.is_alive():
        process.kill()
        process.join()
