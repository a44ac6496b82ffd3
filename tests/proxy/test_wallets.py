"""A wallet in a person's browser speaks to its block as browsers do."""

import pytest

from tests.proxy.running import Running, ask, rpc

PAGE = "http://127.0.0.1:8080"


def test_preflight_of_our_page_is_answered(shared: Running) -> None:
    """POST with a content type, for ten minutes."""
    line = shared.wallets()
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    line.request("OPTIONS", "/", headers=asked)
    answer = line.getresponse()
    answer.read()
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("call", [rpc("eth_chainId"), rpc("admin_peers")], ids=["allowed", "refused"])
def test_our_page_can_read_every_answer(shared: Running, call: dict[str, object]) -> None:
    """Refusals as well."""
    answer = ask(shared.wallets(), call, Origin=PAGE)
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE


@pytest.mark.parametrize("scheme", ["chrome-extension", "moz-extension"])
def test_wallet_extension_is_served_without_cors(shared: Running, scheme: str) -> None:
    """Its background page needs no permission from us, and gets none."""
    answer = ask(shared.wallets(), rpc("eth_chainId"), Origin=f"{scheme}://nkbihfbeogaeaoehlefnkodbefgpgknn")
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_node_s_own_cors_headers_do_not_pass(shared: Running) -> None:
    """Nothing that a node says widens what a page may read."""
    assert "Access-Control-Allow-Origin" not in ask(shared.wallets(), rpc("eth_chainId")).headers
