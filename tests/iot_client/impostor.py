"""A server in another's place: it answers TLS with a certificate of its own choice and keeps what it hears."""

import socket
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path

import trustme


@dataclass
class Impostor:
    """Counts handshakes that failed and keeps every byte that was entrusted to it; use as a context manager."""

    context: ssl.SSLContext
    heard: list[bytes] = field(default_factory=list)
    turned_away: int = 0
    condition: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self) -> "Impostor":
        """Listen on any free port."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def wait_turned_away(self, within_s: float = 60) -> bool:
        """Whether somebody broke off the handshake in time."""
        with self.condition:
            return self.condition.wait_for(lambda: self.turned_away > 0, within_s)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                with self.context.wrap_socket(connection, server_side=True) as spoken:
                    self.heard.append(spoken.recv(4096))
            except OSError:
                with self.condition:
                    self.turned_away += 1
                    self.condition.notify_all()


def impersonate(authority: trustme.CA, *names: str) -> Impostor:
    """An impostor with a certificate of this authority for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return Impostor(context)


def write_material(authority: trustme.CA, folder: Path) -> dict[str, Path]:
    """Write the authority's certificate, and a client's certificate and key, as a Pi holds them."""
    client = authority.issue_cert("gate-1")
    files = {name: folder / f"{name}.pem" for name in ("ca", "certificate", "private_key")}
    authority.cert_pem.write_to_path(files["ca"])
    client.cert_chain_pems[0].write_to_path(files["certificate"])
    client.private_key_pem.write_to_path(files["private_key"])
    return files
