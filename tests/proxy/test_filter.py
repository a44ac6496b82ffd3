"""What passes the filter reaches the node written anew; what does not is answered in JSON and never seen there."""

import json
from typing import Any

import pytest

from tests.proxy.authority import Identity
from tests.proxy.node import Node
from tests.proxy.running import Running, ask, rpc

SALE = "0x" + "ab" * 20
HASH = "0x" + "cd" * 32
OURS = "0x8f32d59b"

ALLOWED_FOR_DEVICES = [
    rpc("eth_chainId"),
    rpc("eth_blockNumber"),
    rpc("eth_gasPrice"),
    rpc("eth_feeHistory", "0x4", "latest", [10.0]),
    rpc("eth_call", {"to": SALE, "data": OURS}, "latest"),
    rpc("eth_call", {"to": SALE, "input": OURS + "00" * 32, "from": SALE}, "0x10"),
    rpc("eth_getTransactionReceipt", HASH),
    rpc("eth_getTransactionByHash", HASH),
    rpc("eth_getTransactionCount", SALE, "latest"),
    rpc("eth_getBalance", SALE, "latest"),
    rpc("eth_getBlockByNumber", "latest", False),
    rpc("eth_getBlockByNumber", "0x1f", False),
    rpc("eth_getProof", SALE, ["0x0"], "0x10"),
    rpc("eth_getCode", SALE, "0x10"),
    rpc("eth_sendRawTransaction", "0xf86b80"),
]
ALLOWED_FOR_WALLETS = [
    rpc("net_version"),
    rpc("eth_maxPriorityFeePerGas"),
    rpc("eth_estimateGas", {"from": SALE, "to": SALE, "value": "0x0", "data": "0x"}),
    rpc("eth_call", {"to": SALE, "data": "0xdeadbeef", "value": "0x1", "gas": "0x5208"}, "pending"),
    rpc("eth_getTransactionCount", SALE, "pending"),
]


def name(call: dict[str, Any]) -> str:
    """A case's name."""
    return f"{call['method']}-{len(call['params'])}"


@pytest.mark.parametrize("call", ALLOWED_FOR_DEVICES, ids=name)
def test_allowed_device_call_passes_unchanged_in_meaning(
    shared: Running, shared_node: Node, device: Identity, call: dict[str, Any]
) -> None:
    """The node gets the same call and the device its answer with its own id."""
    shared_node.seen.clear()
    answer = ask(shared.devices(device), call)
    assert (answer.status, answer.json["id"], answer.json["result"]) == (200, 7, "0x64")
    assert [json.loads(seen.body) for seen in shared_node.calls()] == [call]


@pytest.mark.parametrize("call", ALLOWED_FOR_WALLETS, ids=name)
def test_allowed_wallet_call_passes_and_is_refused_to_devices(
    shared: Running, shared_node: Node, device: Identity, call: dict[str, Any]
) -> None:
    """What people's wallets need beyond the devices' list is theirs alone."""
    shared_node.seen.clear()
    assert ask(shared.wallets(), call).status == 200
    assert [json.loads(seen.body) for seen in shared_node.calls()] == [call]
    assert ask(shared.devices(device), call).status in {400, 403}
    assert len(shared_node.calls()) == 1


WEB3_HEAD = '{"jsonrpc": "2.0", "method": "eth_call", "params": [{"to": "%s", "data": "%s"}, "%s"], "id": %s}'
QUICK_REFUSALS = {
    "other-selector": ((SALE, "0xa9059cbb", "latest", "0"), "selector"),
    "odd-data": ((SALE, OURS + "0", "latest", "0"), "params"),
    "precompile": (("0x" + "0" * 39 + "5", OURS, "latest", "0"), "precompile"),
    "tag": ((SALE, OURS, "earliest", "0"), "params"),
    "id-over-safe": ((SALE, OURS, "latest", "9" * 16), "id"),
    "second-document": ((SALE, OURS, "latest", '0}{"method": "admin_peers"'), "json"),
    "newline-in-data": ((SALE, OURS + "\n", "latest", "0"), "json"),
    "injected-member": ((SALE, OURS + '", "gas": "0xffff', "latest", "0"), "params"),
    "folded-method": ((SALE, OURS, "latest", '0, "Method": "admin_peers"'), "member"),
}


def test_call_as_web3_writes_it_is_written_anew(shared: Running, shared_node: Node, device: Identity) -> None:
    """By the quick way: the same meaning, the gateway's own bytes."""
    shared_node.seen.clear()
    body = (WEB3_HEAD % (SALE, OURS + "00" * 20000, "0x1f", 3)).encode()
    assert ask(shared.devices(device), body).status == 200
    params = f'[{{"to":"{SALE}","data":"{OURS + "00" * 20000}"}},"0x1f"]'
    expected = f'{{"jsonrpc":"2.0","id":3,"method":"eth_call","params":{params}}}'
    assert [seen.body.decode() for seen in shared_node.calls()] == [expected]


@pytest.mark.parametrize("case", QUICK_REFUSALS)
def test_quick_way_lets_nothing_pass_that_the_long_way_refuses(
    shared: Running, shared_node: Node, device: Identity, case: str
) -> None:
    """One step beside the shape, and the whole check decides."""
    shared_node.seen.clear()
    parts, reason = QUICK_REFUSALS[case]
    assert ask(shared.devices(device), (WEB3_HEAD % parts).encode()).reason == reason
    assert shared_node.calls() == []


def test_client_headers_do_not_reach_the_node(shared: Running, shared_node: Node, device: Identity) -> None:
    """The node sees the gateway's own few headers."""
    shared_node.seen.clear()
    ask(shared.devices(device), rpc("eth_chainId"), X_Api_Key="x", Cookie="a=b", Authorization="Basic eDp5")
    assert set(shared_node.calls()[0].headers) == {"Host", "Content-Length", "Content-Type"}
    assert shared_node.calls()[0].headers["Host"] == "localhost"


def test_batch_passes_as_one_request(shared: Running, shared_node: Node, device: Identity) -> None:
    """Up to 32 reads travel together."""
    shared_node.seen.clear()
    calls = [rpc("eth_getBlockByNumber", hex(n), False, call_id=n) for n in range(32)]
    answer = ask(shared.devices(device), calls)
    assert [one["id"] for one in answer.json] == list(range(32))
    assert [json.loads(seen.body) for seen in shared_node.calls()] == [calls]
