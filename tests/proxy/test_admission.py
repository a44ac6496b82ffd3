"""Only admitted certificates and users call; a withdrawal holds from the next request on."""

from http.client import HTTPConnection, HTTPException

import pytest

from tests.proxy.authority import Authority
from tests.proxy.node import Node
from tests.proxy.running import Running, ask, await_until, basic, rpc

CHAIN_ID = rpc("eth_chainId")


def served(line: HTTPConnection) -> bool:
    """Whether an open connection still gets answers."""
    try:
        return ask(line, CHAIN_ID).status == 200
    except (OSError, HTTPException):
        line.close()
        return False


@pytest.mark.row("B16")
def test_without_credentials_the_answer_is_401(shared: Running, shared_node: Node) -> None:
    """Nobody in particular gets nothing, in JSON."""
    shared_node.seen.clear()
    answer = ask(shared.devices(), CHAIN_ID)
    assert (answer.status, answer.reason) == (401, "credentials")
    assert shared_node.calls() == []


def test_valid_certificate_that_is_not_admitted_is_refused(shared: Running) -> None:
    """The CA's signature alone opens nothing."""
    answer = ask(shared.devices(shared.authority.issue("gate-1")), CHAIN_ID)
    assert (answer.status, answer.reason) == (403, "not_admitted")


def test_admitted_device_is_served_until_it_is_withdrawn(shared: Running) -> None:
    """On one kept connection: served, withdrawn, refused."""
    identity = shared.admit("gate-9")
    line = shared.devices(identity)
    assert ask(line, CHAIN_ID).status == 200
    assert shared.admin("DELETE", "/devices/gate-9") == (200, {"name": "gate-9"})
    assert ask(shared.devices(identity), CHAIN_ID).reason == "not_admitted"


@pytest.mark.row("B14")
def test_revoked_certificate_is_refused_everywhere(shared: Running) -> None:
    """A new list closes the open connection, and a new one gets 403 with the reason."""
    identity = shared.admit("gate-8")
    line = shared.devices(identity)
    assert ask(line, CHAIN_ID).status == 200
    shared.authority.revoke(identity)
    await_until(lambda: not served(line), "the open connection's end")
    answer = ask(shared.devices(identity), CHAIN_ID)
    assert answer.json["error"]["message"] == "certificate refused: FAILED:certificate revoked"


def test_user_calls_with_its_secret_and_no_other(shared: Running) -> None:
    """Basic authentication over TLS, for a device without a certificate."""
    status, user = shared.admin("POST", "/users", {"name": "pi"})
    assert status == 201
    assert shared.admin("POST", "/users", {"name": "pi"}) == (200, user)
    assert ask(shared.devices(), CHAIN_ID, Authorization=basic("pi", user["secret"])).status == 200
    assert ask(shared.devices(), CHAIN_ID, Authorization=basic("pi", user["secret"] + "x")).status == 401
    shared.admin("DELETE", "/users/pi")
    assert ask(shared.devices(), CHAIN_ID, Authorization=basic("pi", user["secret"])).status == 401
    assert shared.admin("POST", "/users", {"name": "pi"})[1]["secret"] != user["secret"]


def test_certificate_of_another_ca_is_refused(shared: Running) -> None:
    """Even with an admitted device's name."""
    foreign = Authority(shared.home / "foreign", "Lading test CA").issue("gate-1")
    assert ask(shared.devices(foreign), CHAIN_ID).reason == "certificate"
