"""Every attack of the corpus: the answer on one side, and on the other what the node saw of it."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.proxy.authority import Authority, Identity
from tests.proxy.make_attacks import FOLDER, files
from tests.proxy.node import Node
from tests.proxy.running import Running

CASES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*.json"))
CONFUSING = {
    "same-name": ("gate-1",),
    "two-names": ("evil", "gate-1"),
    "name-with-comma": ("evil,CN=gate-1",),
    "name-with-slash": ("x/CN=gate-1",),
    "name-with-serial": ("SUCCESS",),
    "wildcard": ("*",),
    "empty-name": (" ",),
    "long-name": ("g" * 64,),
}


@pytest.fixture(scope="package")
def identities(shared: Running, device: Identity) -> dict[str, Identity | None]:
    """Who attacks, by the names that the corpus uses."""
    own = shared.authority
    foreign = Authority(shared.home / "foreign", "Another CA")
    twin = Authority(shared.home / "twin", "Lading test CA")
    revoked = shared.admit("revoked")
    own.revoke(revoked)
    assert shared.admin("POST", "/reload")[0] == 200
    found: dict[str, Identity | None] = {"none": None, "gate-1": device, "revoked": revoked}
    found["expired"] = own.issue("gate-1", days=(-3, -1))
    found["not-yet-valid"] = own.issue("gate-1", days=(2, 3))
    found["self-signed"] = Authority.alone(shared.home / "alone", "gate-1")
    found["foreign-ca"] = foreign.issue("gate-1")
    found["foreign-ca-same-name"] = twin.issue("gate-1")
    return found | {name: own.issue(*names) for name, names in CONFUSING.items()}


@pytest.mark.parametrize("name", CASES)
def test_attack_is_answered_and_the_node_sees_no_more_than_the_call_written_anew(
    shared: Running, shared_node: Node, identities: dict[str, Identity | None], name: str
) -> None:
    """The status and body that the case names; at the node nothing, or exactly the bytes that it names."""
    case = json.loads((FOLDER / name).read_text())
    shared_node.seen.clear()
    answers = list(responses(_exchange(shared, identities, case)))
    assert len(answers) == case["answers"], answers
    assert answers[-1][0] == case["status"], answers
    if "body" in case and not case.get("no_body"):
        assert json.loads(answers[-1][1]) == case["body"]
    forwarded = [seen.body.decode() for seen in shared_node.calls()]
    assert forwarded == ([case["forwarded"]] if case["forwarded"] else [])
    assert {(seen.method, seen.path, seen.headers["Host"]) for seen in shared_node.calls()} <= {
        ("POST", "/", "localhost")
    }


def test_corpus_is_what_its_generator_writes() -> None:
    """No case is edited or lost unseen; there are at least 300."""
    assert {name: (FOLDER / name).read_text() for name in CASES} == files()
    assert len(CASES) >= 300


def _exchange(shared: Running, identities: dict[str, Identity | None], case: dict[str, Any]) -> bytes:
    line = shared.raw(case["block"])
    if case["block"] == "devices" and case["identity"] != "plain":
        line = shared.context(identities[case["identity"]]).wrap_socket(line, server_hostname="127.0.0.1")
    with line:
        _send(line, case["send"])
        return _receive(line)


def _send(line: socket.socket, pieces: list[Any]) -> None:
    whole = "".join(piece if isinstance(piece, str) else piece["repeat"] * piece["times"] for piece in pieces)
    try:
        line.sendall(whole.encode("latin-1"))
    except OSError:
        """The gateway has answered and hung up before the end, as it may."""


def _receive(line: socket.socket) -> bytes:
    received = b""
    try:
        while part := line.recv(65536):
            received += part
    except ConnectionResetError:
        """What came before the reset is the answer."""
    return received


def responses(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Status and body of each response in a stream; 100 Continue is none."""
    while stream:
        head, _, stream = stream.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        lengths = [row.split(b":")[1] for row in head.split(b"\r\n") if row.lower().startswith(b"content-length:")]
        length = int(lengths[0]) if lengths else 0
        if status >= 200:
            yield status, stream[:length]
        stream = stream[length:] if stream else stream
