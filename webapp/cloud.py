"""The IoT cloud as this application sees it: HTTPS with its own X.509 certificate, and the admin socket for things."""

import ssl
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from webapp.errors import CloudError
from webapp.secret_files import kept_secret
from webapp.settings import Settings


class Cloud:
    """Reads shadows and events of things."""

    def __init__(self, settings: Settings, timeout_s: float = 5.0) -> None:
        """Use the cloud of these settings; it need not be there yet."""
        self._settings = settings
        self._timeout_s = timeout_s
        self._folder = settings.folder / "cloud"
        self._client: httpx.Client | None = None

    def shadow(self, thing: str) -> dict[str, Any] | None:
        """Return a thing's classic shadow, `None` while it has none.

        Raises:
            CloudError: the cloud is unreachable or refuses.
        """
        said = self._get(f"/things/{thing}/shadow")
        return said if isinstance(said, dict) else None

    def events(self, thing: str, after: int = 0, limit: int = 200) -> list[dict[str, Any]]:
        """Return a thing's events after an id, the oldest first: `{"id", "received_at", "event"}`."""
        said = self._get(f"/things/{thing}/events", after=after, limit=limit) or []
        listed: list[Any] = said.get("events", []) if isinstance(said, dict) else said
        return [event for event in listed if isinstance(event, dict)]

    def readings(self, thing: str, after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """Return a thing's readings after an id, the oldest first: `{"id", "sensor", "at", "value", "unit", …}`."""
        said = self._get(f"/things/{thing}/readings", after=after, limit=limit) or {}
        listed: list[Any] = said.get("readings", []) if isinstance(said, dict) else []
        return [reading for reading in listed if isinstance(reading, dict)]

    def status(self, thing: str) -> dict[str, Any]:
        """Return a thing's last status and when it came: `{"received_at", "status": {"online"}}`; `{}` if none."""
        said = self._get(f"/things/{thing}/status")
        return said if isinstance(said, dict) else {}

    def command(self, thing: str, command: dict[str, Any]) -> None:
        """Put an operator's signed command into the thing's shadow `operator`.

        Raises:
            CloudError: the cloud is unreachable or refuses.
        """
        body = {"state": {"desired": {"command": command}}}
        self._ask("POST", f"/things/{thing}/shadow", params={"name": "operator"}, json=body)

    def _get(self, path: str, **query: Any) -> Any:
        return self._ask("GET", path, params=query)

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        try:
            answer = self._connected().request(method, path, **more)
        except (httpx.HTTPError, RuntimeError) as error:  # RuntimeError: another thread closed it meanwhile
            self.close()  # it may come back elsewhere
            raise CloudError(f"The IoT cloud does not answer: {error}") from error
        if answer.status_code == 404 and method == "GET":
            return None
        if answer.status_code != 200:
            raise CloudError(f"The IoT cloud answered {answer.status_code}.")
        return answer.json()

    def _connected(self) -> httpx.Client:
        client = self._client
        if client is None:
            url = self._settings.cloud_http
            if not url:
                raise CloudError("No IoT cloud is known: start lading-cloud, or set cloud_url in [web].")
            client = self._client = httpx.Client(base_url=url, verify=self.tls(), timeout=self._timeout_s)
        return client

    def tls(self) -> ssl.SSLContext:
        """Return the TLS context with this application's certificate, asked for when there is none yet.

        Raises:
            CloudError: there is no cloud to ask, or the files cannot be read.
        """
        certificate, key, ca = (self._folder / name for name in ("certificate.pem", "key.pem", "ca.pem"))
        if not certificate.exists():
            self.enrol()
        try:
            context = ssl.create_default_context(cafile=str(ca))
            context.load_cert_chain(certificate, key)
        except OSError as error:
            raise CloudError(f"This application's certificate cannot be read: {error}") from error
        return context

    def enrol(self) -> None:
        """Ask the cloud, over its admin socket, for this application's own certificate."""
        self._folder.mkdir(exist_ok=True, mode=0o700)
        csr = certificate_request(self._folder / "key.pem", self._settings.thing)
        request = {"thing": self._settings.thing, "csr": csr, "role": "web"}
        answer = ask_socket(self._settings.home / "cloud" / "admin.sock", "POST", "/things", request, CloudError)
        (self._folder / "certificate.pem").write_text(answer["certificate"])
        (self._folder / "ca.pem").write_text(answer["ca"])

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None


def certificate_request(key_file: Path, name: str) -> str:
    """Return a signing request for `name`; the key is made on the first call and stays in its file."""
    key = serialization.load_pem_private_key(kept_secret(key_file, _new_key), None)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signed = request.sign(key, hashes.SHA256())  # type: ignore[arg-type]  # ours is an EC key
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def _new_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def ask_socket(
    socket: Path, method: str, path: str, body: Any, error_class: type[CloudError] | type[Exception]
) -> dict[str, Any]:
    """Send one request to an admin socket and return its answer.

    Raises:
        error_class: it is not there, or it refused; the message is its own.
    """
    if not socket.exists():
        raise error_class(f"Nothing answers at {socket}: is its process running?")
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), timeout=30.0) as client:
            answer = client.request(method, f"http://localhost{path}", json=body)
            said = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise error_class(f"Nothing answers at {socket}: is its process running? ({error})") from error
    if answer.status_code >= 400:
        refused = said.get("error", {})
        raise error_class(f"{refused.get('message', 'refused')} ({refused.get('code', answer.status_code)})")
    return dict(said)
