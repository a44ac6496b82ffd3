"""A wallet in a person's browser speaks to its block as browsers do."""

import pytest

from tests.proxy.node import Node
from tests.proxy.running import Running, ask, rpc
from tests.proxy.strict import check

PAGE = "http://127.0.0.1:8080"
SALE = "0x" + "ab" * 20
ME = "0x" + "cd" * 20
# The bytes that wallets and their libraries send: order, spaces, ids and left-out parameters are theirs.
WIRE = {
    "metamask-block": '{"id":2859873517,"jsonrpc":"2.0","method":"eth_getBlockByNumber","params":["latest",false]}',
    "metamask-fees": '{"id":2859873518,"jsonrpc":"2.0","method":"eth_feeHistory","params":["0x5","latest",[10,20,30]]}',
    "metamask-network": '{"id":2859873519,"jsonrpc":"2.0","method":"net_version","params":[]}',
    "metamask-nonce": f'{{"id":1,"jsonrpc":"2.0","method":"eth_getTransactionCount","params":["{ME}","pending"]}}',
    "metamask-send": '{"id":2,"jsonrpc":"2.0","method":"eth_sendRawTransaction","params":["0x02f86b80"]}',
    "ethers-chain": '{"method":"eth_chainId","params":[],"id":1,"jsonrpc":"2.0"}',
    "ethers-batch": (
        '[{"method":"eth_chainId","params":[],"id":2,"jsonrpc":"2.0"},'
        f'{{"method":"eth_call","params":[{{"to":"{SALE}","data":"0x8f32d59b"}},"latest"],"id":3,"jsonrpc":"2.0"}}]'
    ),
    "ethers-estimate": (
        f'{{"method":"eth_estimateGas","params":[{{"value":"0xde0b6b3a7640000","from":"{ME}","to":"{SALE}",'
        '"data":"0xa6f2ae3a"}],"id":4,"jsonrpc":"2.0"}'
    ),
    "viem-chain": '{"jsonrpc":"2.0","id":0,"method":"eth_chainId"}',
    "viem-call": (
        f'{{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{{"data":"0x8f32d59b","to":"{SALE}"}},"latest"]}}'
    ),
    "viem-tip": '{"jsonrpc":"2.0","id":2,"method":"eth_maxPriorityFeePerGas"}',
    "web3js-balance": (
        '{"jsonrpc":"2.0","id":"0a1d4f0f-5b0e-4b4c-8f5e-0d8f5a3c2b1a","method":"eth_getBalance",'
        f'"params":["{ME}","latest"]}}'
    ),
    "web3js-receipt": (
        '{"jsonrpc":"2.0","id":"0a1d4f0f-5b0e-4b4c-8f5e-0d8f5a3c2b1b","method":"eth_getTransactionReceipt",'
        f'"params":["0x{"ef" * 32}"]}}'
    ),
    "web3py-gas-price": '{"jsonrpc": "2.0", "method": "eth_gasPrice", "params": [], "id": 5}',
}


@pytest.mark.parametrize("name", WIRE)
def test_call_as_wallets_write_it_is_served(shared: Running, shared_node: Node, name: str) -> None:
    """From a wallet's extension and from a page; what the node sees is an allowed call."""
    shared_node.seen.clear()
    for origin in ("chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn", PAGE):
        assert ask(shared.wallets(), WIRE[name].encode(), Origin=origin).status == 200
    assert len(shared_node.calls()) == 2
    for seen in shared_node.calls():
        check(seen.body, wallet=True)


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
