"""The running gateway: what is in force, and how a change comes into force."""

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any

from proxy import listeners
from proxy.admission import Admission, user_secret
from proxy.errors import GatewayError, NginxError, SettingsError
from proxy.material import Material, read_material
from proxy.nginx import Nginx
from proxy.render import Situation, needs_tls, render
from proxy.settings import Settings, load_settings
from proxy.store import Store

START_S = 30.0
LISTEN_SETTINGS = ("host", "devices_port", "wallets_host", "wallets_port", "web_port", "plain_port", "home")


@dataclass(frozen=True)
class State:
    """What is in force; `full` while nothing may pass because it could not be logged."""

    material: Material
    admission: Admission
    down: frozenset[str] = field(default_factory=frozenset)
    full: bool = False


class Gateway:
    """Holds nginx and what is in force; one change at a time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings if os.geteuid() == 0 else settings.model_copy(update={"worker_user": ""})
        self.store = Store(settings.folder)
        self.nginx = Nginx(self.settings)
        self.trouble = ""
        self.reloads = 0
        self.state = State(read_material(settings), self.store.load())
        self._lock = threading.RLock()
        self._sockets: dict[str, socket.socket] = {}

    @property
    def addresses(self) -> dict[str, tuple[str, int]]:
        """Where each block listens."""
        return listeners.addresses(self._sockets)

    def start(self) -> None:
        """Bind, start nginx, and see that both filters answer."""
        self.nginx.prepare()
        self._sockets = listeners.bind(listeners.wanted(self.settings))
        try:
            self.nginx.install(self._files(self.state))
            self._launch()
        except GatewayError:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop nginx and free the ports."""
        self.nginx.stop()
        for listener in self._sockets.values():
            listener.close()

    def revive(self) -> None:
        """Start nginx again on the same ports, after it died by itself."""
        with self._lock:
            self.nginx.clear()
            self._launch()

    def bring(self, *, test: bool = True, **changes: Any) -> None:
        """Bring changes of the state into force; when this returns, nothing older serves.

        Raises:
            GatewayError: nothing has changed.
        """
        with self._lock:
            wanted = replace(self.state, **changes)
            self.nginx.install(self._files(wanted), test=test)
            self.nginx.reload()
            self.state = wanted
            self.reloads += 1

    def admit(self, change: Callable[[Admission], Admission]) -> bool:
        """Bring a change of who may call into force; false if it changes nothing.

        When this returns, nobody else is served.

        Raises:
            GatewayError: nothing has changed.
        """
        with self._lock:
            before = self.state.admission
            wanted = change(before)
            if wanted == before:
                return False
            self.store.save(wanted)
            try:
                self.bring(admission=wanted)
            except GatewayError:
                self.store.save(before)
                raise
            return True

    def secret(self, name: str) -> str:
        """The secret of an admitted user."""
        return user_secret(self.store.key(), name, self.state.admission.users[name])

    def set_down(self, down: frozenset[str]) -> None:
        """Send no requests to these nodes."""
        try:
            self.bring(down=down, test=False)
            self.trouble = ""
        except GatewayError as error:
            self.trouble = f"the nodes' list could not be changed: {error}"

    def reload(self) -> None:
        """Read settings, certificates and lists again; a bad one leaves everything as it is.

        Raises:
            SettingsError: names what is wrong.
            NginxError: nginx does not take it.
        """
        settings = load_settings()
        if os.geteuid() != 0:
            settings = settings.model_copy(update={"worker_user": ""})
        moved = [name for name in LISTEN_SETTINGS if getattr(settings, name) != getattr(self.settings, name)]
        if moved:
            raise SettingsError(f"[gateway] {moved[0]} needs a restart")
        with self._lock:
            fresh, before = read_material(settings), self.settings
            self.settings = settings
            try:
                self.bring(material=fresh)
            except GatewayError:
                self.settings = before
                raise

    def _files(self, state: State) -> dict[str, bytes]:
        situation = Situation(state.admission, self.store.key(), self.addresses, state.down, state.full)
        return render(self.settings, state.material, situation, self.nginx.next_folder())

    def _launch(self) -> None:
        self.nginx.start(self._sockets.values())
        deadline = time.monotonic() + START_S
        while (answer := self._smoke()) != "":
            complaint = self.nginx.failure()
            if complaint or time.monotonic() > deadline:
                raise NginxError(f"nginx did not start: {complaint or answer}")
            time.sleep(0.02)

    def _smoke(self) -> str:
        """Empty when both filters answer: `nginx -t` would miss a misspelt handler."""
        context = ssl._create_unverified_context()  # noqa: S323, SLF001 - our own port, nothing secret is sent
        tls = HTTPSConnection(*self.addresses["devices"], timeout=5, context=context)
        host, port = self.addresses["wallets"]
        wallets = (
            HTTPSConnection(host, port, timeout=5, context=context)
            if needs_tls(self.settings.wallets_host)
            else HTTPConnection(host, port, timeout=5)
        )
        return _expect(tls, 401) or _expect(wallets, 415)


def _expect(connection: HTTPConnection, status: int) -> str:
    try:
        connection.request("POST", "/", b"")
        got = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return str(error)
    finally:
        connection.close()
    return "" if got in {status, 429} else f"the filter answers {got}"
