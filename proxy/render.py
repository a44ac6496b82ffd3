"""Nginx's configuration as text, from settings, addresses, certificates, admissions and the nodes' health. Pure."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from proxy.admission import Admission, credential_digest, user_secret
from proxy.errors import SettingsError
from proxy.material import Material
from proxy.settings import Settings

HERE = Path(__file__).parent
# Three failures in a second rest a node; one slow answer of a busy machine does not. The poller sees to the rest.
READ_FAILS = 3
# Never: a transaction that could be sent must not meet a door that is shut because of another one.
WRITE_FAILS = 0
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Situation:
    """What the configuration depends on beside settings and material."""

    admission: Admission
    users_key: bytes
    addresses: dict[str, tuple[str, int]]
    down: frozenset[str] = field(default_factory=frozenset)
    full: bool = False


def render(settings: Settings, material: Material, situation: Situation, folder: Path) -> dict[str, bytes]:
    """Every file of the configuration by its name in `folder`."""
    words = _words(settings, situation, folder) | {"selectors": material.selectors, "full": situation.full}
    texts = {
        "nginx.conf": _template("nginx.conf.j2", words),
        "gateway.conf": _template("gateway.conf.j2", words),
        "reads.conf": nodes(settings.upstreams, situation.down, READ_FAILS),
        "writes.conf": nodes(settings.upstreams, situation.down, WRITE_FAILS),
        "devices.map": _map({} if material.closed else _by_serial(situation.admission)),
        "users.map": _map(_by_digest(situation)),
        "policy.json": json.dumps({"selectors": dict.fromkeys(material.selectors, True), "closed": material.closed}),
    }
    return {
        "filter.js": (HERE / "filter.js").read_bytes(),
        "server.pem": material.certificate,
        "server.key": material.key,
        "client_ca.pem": material.client_ca,
        "client_crl.pem": material.client_crl,
        **{name: text.encode() for name, text in texts.items()},
    }


def node_address(url: str) -> str:
    """`host:port` of a node's URL.

    Raises:
        SettingsError: it is not http://host:port.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or 80
    except ValueError as error:
        raise SettingsError(f"upstream {url!r}: the port makes no sense") from error
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
        raise SettingsError(f"upstream {url!r} must be http://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{port}"


def nodes(upstreams: tuple[str, ...], down: frozenset[str], max_fails: int) -> str:
    """The servers of an upstream block; a laggard gets nothing."""
    options = f"max_fails={max_fails} fail_timeout=1s"
    return "".join(f"server {node_address(url)} {options}{_down(url, down)};\n" for url in upstreams)


def _down(url: str, down: frozenset[str]) -> str:
    return " down" if url in down else ""


def needs_tls(host: str) -> bool:
    """Plain HTTP is for loopback only."""
    return host not in LOOPBACK


def _words(settings: Settings, situation: Situation, folder: Path) -> dict[str, object]:
    listens = {f"{name}_listen": _listen(address) for name, address in situation.addresses.items()}
    web_port = situation.addresses.get("web", ("", 443))[1]
    return {
        **settings.model_dump(),
        "directory": folder,
        "state": settings.folder / "nginx",
        "logs": settings.folder / "logs",
        "read_timeout_ms": round(settings.read_timeout_s * 1000),
        "write_timeout_ms": round(settings.write_timeout_s * 1000),
        "wallets_tls": needs_tls(settings.wallets_host),
        "web_port_suffix": "" if web_port == 443 else f":{web_port}",
        "plain_listen": "",
        **listens,
    }


def _listen(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _template(name: str, words: dict[str, object]) -> str:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - nginx's language, not HTML; every word comes from checked settings
    )
    return environment.get_template(name).render(words)


def _by_serial(admission: Admission) -> dict[str, str]:
    return {serial: name for name, serial in admission.devices.items()}


def _by_digest(situation: Situation) -> dict[str, str]:
    return {
        credential_digest(name, user_secret(situation.users_key, name, nonce)): f"user:{name}"
        for name, nonce in situation.admission.users.items()
    }


def _map(entries: dict[str, str]) -> str:
    return "".join(f"{key} {value};\n" for key, value in sorted(entries.items()))
