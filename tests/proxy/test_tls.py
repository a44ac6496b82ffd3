"""TLS 1.2 and 1.3 only; a resumed session does not outlive a revocation; plain HTTP carries nothing."""

import ssl
import warnings
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.proxy.authority import Authority, Identity
from tests.proxy.conftest import PLENTY, run_folder
from tests.proxy.node import Node
from tests.proxy.running import Running, ask, await_until, rpc

CHAIN_ID = rpc("eth_chainId")
REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 59\r\n\r\n"
REQUEST += b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'


def context_of(gateway: Running, version: ssl.TLSVersion, identity: Identity | None = None) -> ssl.SSLContext:
    """A client that speaks this version and no other."""
    context = gateway.context(identity)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = version
        context.minimum_version = version
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=str)
def test_old_version_is_refused_in_the_handshake(shared: Running, version: ssl.TLSVersion) -> None:
    """The server says that it does not speak it."""
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        context_of(shared, version).wrap_socket(shared.raw("devices"), server_hostname="127.0.0.1")


# A client cannot be told to speak these any more, so their first words are written out.
SSL3 = b"\x16\x03\x00\x00\x2f\x01\x00\x00\x2b\x03\x00" + b"r" * 32 + b"\x00\x00\x04\x00\x2f\x00\x0a\x01\x00"
SSL2 = b"\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10\x07\x00\xc0" + b"r" * 16


@pytest.mark.parametrize("hello", [SSL3, SSL2], ids=["SSLv3", "SSLv2"])
def test_ancient_version_gets_an_alert_or_nothing(shared: Running, hello: bytes) -> None:
    """Never the server's half of a handshake."""
    line = shared.raw("devices")
    line.sendall(hello)
    answer = line.recv(65536)
    assert answer[:1] in {b"", b"\x15"}
    assert b"HTTP" not in answer


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
def test_current_version_serves_with_forward_secrecy(shared: Running, version: ssl.TLSVersion) -> None:
    """And with an authenticated cipher."""
    with context_of(shared, version).wrap_socket(shared.raw("devices"), server_hostname="127.0.0.1") as line:
        cipher = line.cipher()[0]
    assert cipher.startswith(("ECDHE-", "TLS_"))
    assert "GCM" in cipher or "CHACHA20" in cipher


@pytest.mark.parametrize("cipher", ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA", "NULL-SHA256"])
def test_weak_cipher_is_refused(shared: Running, cipher: str) -> None:
    """No static RSA, no CBC, no plaintext."""
    context = context_of(shared, ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        context.wrap_socket(shared.raw("devices"), server_hostname="127.0.0.1")


@pytest.mark.row("B14")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
def test_revoked_device_is_refused_on_open_connection_and_resumed_session(
    shared: Running, version: ssl.TLSVersion
) -> None:
    """The open connection ends and its session no longer opens another."""
    gateway = shared
    identity = gateway.admit(f"tls-{version}")
    context = context_of(gateway, version, identity)
    line = context.wrap_socket(gateway.raw("devices"), server_hostname="127.0.0.1")
    line.sendall(REQUEST)
    assert line.recv(65536).startswith(b"HTTP/1.1 200")
    session = line.session
    assert session.has_ticket
    gateway.authority.revoke(identity)
    assert await_until(lambda: line.recv(1) == b"", "the end of the open connection")
    with context.wrap_socket(gateway.raw("devices"), server_hostname="127.0.0.1", session=session) as again:
        again.sendall(REQUEST)
        answer = again.recv(65536)
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"certificate revoked" in answer
    line.close()


def test_session_is_resumed_while_nothing_is_revoked(shared: Running, device: Identity) -> None:
    """The test above would prove nothing if sessions were never resumed."""
    context = context_of(shared, ssl.TLSVersion.TLSv1_2, device)
    with context.wrap_socket(shared.raw("devices"), server_hostname="127.0.0.1") as line:
        session = line.session
    with context.wrap_socket(shared.raw("devices"), server_hostname="127.0.0.1", session=session) as again:
        assert again.session_reused


@pytest.fixture(scope="module")
def full(shared_node: Node) -> Iterator[tuple[Running, Node]]:
    """A gateway with the web application's block and plain HTTP beside it."""
    web, settings = Node(), {"web_port": 0, "plain_port": 0, **PLENTY}
    with run_folder() as home:
        running = Running(home, Authority(home / "ca"), [shared_node.url], web_upstream=web.url, **settings)
        running.up()
        yield running, web
        running.down()
    web.close()


def test_web_application_is_served_over_tls_with_hsts(full: tuple[Running, Node]) -> None:
    """The plain block passes on what it gets, with who and how."""
    gateway, web = full
    line = gateway.secure(gateway.ready["web"])
    answer = ask(line, CHAIN_ID)
    assert answer.status == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert web.seen[-1].headers["X-Forwarded-Proto"] == "https"
    assert web.seen[-1].headers["X-Forwarded-For"] == "127.0.0.1"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=str)
def test_web_application_refuses_old_versions_too(full: tuple[Running, Node], version: ssl.TLSVersion) -> None:
    """Every block has the same rule."""
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        context_of(full[0], version).wrap_socket(full[0].raw("web"), server_hostname="127.0.0.1")


def test_plain_http_redirects_people_and_forwards_nothing(full: tuple[Running, Node]) -> None:
    """GET gets the address over TLS; anything with a body gets 403."""
    gateway, web = full
    web.seen.clear()
    plain = HTTPConnection("127.0.0.1", gateway.plain_port(), timeout=60)
    gateway.keep(plain)
    plain.request("GET", "/sales?x=1", headers={"Host": "lading.example:80"})
    redirect = plain.getresponse()
    redirect.read()
    port = urlsplit(gateway.ready["web"]).port
    assert (redirect.status, redirect.headers["Location"]) == (301, f"https://lading.example:{port}/sales?x=1")
    plain.request("POST", "/sign-in", b"passphrase=secret")
    refused = plain.getresponse()
    refused.read()
    assert refused.status == 403
    assert web.seen == []
