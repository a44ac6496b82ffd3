"""The running gateway: what is in force, and how a change comes into force."""

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from proxy import listeners
from proxy.admission import Admission, user_secret
from proxy.errors import GatewayError, NginxError, SettingsError
from proxy.material import Material, read_material
from proxy.nginx import Nginx
from proxy.render import Situation, needs_tls, render
from proxy.settings import Settings, load_settings
from proxy.store import Store

GRACE_S = 1.0
START_S = 30.0
LISTEN_SETTINGS = ("host", "devices_port", "wallets_host", "wallets_port", "web_port", "plain_port", "home")


class Gateway:
    """Holds nginx, the certificates in use and the admissions; one change at a time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings if os.geteuid() == 0 else settings.model_copy(update={"worker_user": ""})
        self.store = Store(settings.folder)
        self.nginx = Nginx(self.settings)
        self.trouble = ""
        self.reloads = 0
        self._lock = threading.Lock()
        self._sockets: dict[str, socket.socket] = {}
        self._material = read_material(settings)
        self._admission = self.store.load()
        self._down: frozenset[str] = frozenset()
        self._crl = settings.client_crl.read_bytes()
        self._crl_bad_since: float | None = None

    @property
    def admission(self) -> Admission:
        """Who is admitted now."""
        return self._admission

    @property
    def down(self) -> frozenset[str]:
        """The nodes that get no requests now."""
        return self._down

    @property
    def addresses(self) -> dict[str, tuple[str, int]]:
        """Where each block listens."""
        return listeners.addresses(self._sockets)

    def start(self) -> None:
        """Bind, start nginx, and see that both filters answer."""
        self.nginx.prepare()
        self._sockets = listeners.bind(listeners.wanted(self.settings))
        try:
            self.nginx.install(self._files(self._material, self._admission, self._down))
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

    def admit(self, change: Callable[[Admission], Admission]) -> bool:
        """Bring a change of who may call into force; false if it changes nothing.

        When this returns, nobody else is served.

        Raises:
            GatewayError: nothing has changed.
        """
        with self._lock:
            wanted = change(self._admission)
            if wanted == self._admission:
                return False
            self._apply(self._material, wanted, self._down)
            self.store.save(wanted)
            self._admission = wanted
            return True

    def secret(self, name: str) -> str:
        """The secret of an admitted user."""
        return user_secret(self.store.key(), name, self._admission.users[name])

    def set_down(self, down: frozenset[str]) -> None:
        """Send no requests to these nodes."""
        with self._lock:
            try:
                self._apply(self._material, self._admission, down, test=False)
                self._down = down
            except (GatewayError, OSError) as error:
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
                self._apply(fresh, self._admission, self._down)
            except GatewayError:
                self.settings = before
                raise
            self._crl = fresh.client_crl
            self._material, self._crl_bad_since, self.trouble = fresh, None, ""

    def watch_revocations(self) -> None:
        """Take a new revocation list into force; close the door to certificates while there is no readable one."""
        try:
            content = self.settings.client_crl.read_bytes()
        except OSError:
            content = b""
        if content == self._crl and self._crl_bad_since is None:
            return
        with self._lock:
            self._crl = content
            try:
                self._take(read_material(self.settings))
            except GatewayError as error:
                self._close(str(error))

    def _take(self, fresh: Material) -> None:
        self._apply(fresh, self._admission, self._down)
        self._material, self._crl_bad_since, self.trouble = fresh, None, ""

    def _close(self, why: str) -> None:
        self.trouble = why
        now = time.monotonic()
        self._crl_bad_since = self._crl_bad_since or now
        if not self._material.closed and now - self._crl_bad_since >= GRACE_S:
            closed = replace(self._material, closed="no valid revocation list: no certificate is accepted")
            self._apply(closed, self._admission, self._down)
            self._material = closed

    def _apply(self, material: Material, admission: Admission, down: frozenset[str], *, test: bool = True) -> None:
        self.nginx.install(self._files(material, admission, down), test=test)
        self.nginx.reload()
        self.reloads += 1

    def _files(self, material: Material, admission: Admission, down: frozenset[str]) -> dict[str, bytes]:
        situation = Situation(admission, self.store.key(), self.addresses, down)
        return render(self.settings, material, situation, self.nginx.next_folder())

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
