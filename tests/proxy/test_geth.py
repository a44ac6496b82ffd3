"""In front of a real geth: the hole that the filter closes is real, and honest clients are served."""

import json
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from proxy.poller import is_silent
from tests.proxy.authority import Authority, Identity
from tests.proxy.conftest import PLENTY, run_folder
from tests.proxy.make_attacks import corpus
from tests.proxy.running import Running, ask, await_until, rpc
from tests.proxy.test_filter import ALLOWED_FOR_DEVICES, ALLOWED_FOR_WALLETS
from tests.proxy.test_render import free_ports

GETH = Path(__file__).parents[2] / ".cache" / "bin" / "geth"
UNREAD = {-32700, -32600, -32601, -32602}
FOLDED = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","Method":"admin_nodeInfo","params":[]}'


@pytest.fixture(scope="module")
def geth() -> Iterator[str]:
    """A throwaway geth with its admin API open on loopback; its URL."""
    with run_folder() as home:
        (port,) = free_ports(1)
        options = ["--dev", "--datadir", f"{home}/g", "--http", "--http.port", str(port), "--http.api", "eth,net,admin"]
        options += ["--ipcdisable", "--nodiscover", "--port", "0", "--cache", "16", "--verbosity", "0"]
        command = ["setpriv", "--pdeathsig", "TERM", "--", str(GETH), *options]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            url = f"http://127.0.0.1:{port}"
            await_until(lambda: not is_silent(url, 5), "geth")
            yield url
            process.terminate()


@pytest.fixture(scope="module")
def front(geth: str) -> Iterator[tuple[Running, Identity]]:
    """A gateway in front of it, and an admitted device."""
    with run_folder() as home:
        gateway = Running(home, Authority(home / "ca"), [geth], **PLENTY)
        gateway.up()
        yield gateway, gateway.admit("gate-1")
        gateway.down()


@pytest.mark.slow
def test_folded_key_runs_admin_on_a_bare_geth_and_nothing_through_the_gateway(
    front: tuple[Running, Identity], geth: str
) -> None:
    """Go takes the last key that folds to `method`; the filter refuses it."""
    bare = HTTPConnection(geth.removeprefix("http://"), timeout=60)
    assert "enode" in ask(bare, FOLDED).json["result"]
    bare.close()
    gateway, device = front
    assert ask(gateway.devices(device), FOLDED).reason == "member"


@pytest.mark.slow
def test_whatever_is_forwarded_means_to_geth_what_the_filter_read(geth: str) -> None:
    """Each body that the corpus lets pass, and a call of every method: geth has such a call and answers it."""
    bare = HTTPConnection(geth.removeprefix("http://"), timeout=60)
    bodies = {case.forwarded for case in corpus() if case.forwarded}
    bodies |= {json.dumps(call) for call in ALLOWED_FOR_DEVICES + ALLOWED_FOR_WALLETS}
    for body in bodies:
        asked, answered = json.loads(body), ask(bare, body.encode()).json
        pairs = zip(asked, answered, strict=True) if isinstance(asked, list) else [(asked, answered)]
        for call, answer in pairs:
            assert answer["id"] == call["id"]
            assert answer.get("error", {}).get("code") not in UNREAD, body
    bare.close()


@pytest.mark.slow
def test_web3_speaks_to_geth_through_the_gateway(front: tuple[Running, Identity], geth: str) -> None:
    """With its client certificate: reads, a header, code, a proof and a batch."""
    gateway, device = front
    kwargs = {"cert": (str(device.certificate), str(device.key)), "verify": str(gateway.authority.ca)}
    w3, bare = Web3(HTTPProvider(gateway.ready["devices"], request_kwargs=kwargs)), Web3(HTTPProvider(geth))
    someone = Web3.to_checksum_address("0x" + "ab" * 20)
    assert w3.eth.chain_id == bare.eth.chain_id
    assert w3.eth.get_transaction_count(someone) == 0
    assert w3.eth.get_block("latest").hash == bare.eth.get_block("latest").hash
    assert w3.eth.get_code(someone) == b""
    assert w3.eth.call({"to": someone, "data": "0x8f32d59b"}) == b""
    assert w3.eth.get_proof(someone, [0], 0) == bare.eth.get_proof(someone, [0], 0)
    batch = w3.provider.make_batch_request([("eth_blockNumber", []), ("eth_getBlockByNumber", ["0x0", False])])
    assert [answer["id"] for answer in batch] == sorted(answer["id"] for answer in batch)


@pytest.mark.slow
def test_geth_refuses_in_its_own_words(front: tuple[Running, Identity]) -> None:
    """An allowed call that makes no sense to geth gets geth's JSON-RPC error."""
    gateway, device = front
    answer = ask(gateway.devices(device), rpc("eth_sendRawTransaction", "0xf86b80"))
    assert answer.status == 200
    assert "rlp" in answer.json["error"]["message"]
