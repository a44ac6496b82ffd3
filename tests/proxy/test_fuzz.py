"""Whatever passes the filter is an allowed call to an independent decoder that folds keys as Go does."""

import json
from collections import Counter
from http.client import HTTPConnection

import pytest

from tests.proxy.attack_groups import bodies, calls
from tests.proxy.authority import Identity
from tests.proxy.mutate import mutants
from tests.proxy.node import Node
from tests.proxy.running import Running, ask
from tests.proxy.strict import ForbiddenError, check
from tests.proxy.test_filter import ALLOWED_FOR_DEVICES, ALLOWED_FOR_WALLETS

SEEDS = [json.dumps(call).encode() for call in ALLOWED_FOR_DEVICES * 4 + ALLOWED_FOR_WALLETS * 4]
# In the order in which web3.py writes members: the filter has a quick way for these.
WEB3 = [call for call in ALLOWED_FOR_DEVICES if call["method"] == "eth_call"]
SEEDS += [json.dumps({key: call[key] for key in ("jsonrpc", "method", "params", "id")}).encode() for call in WEB3 * 12]
SEEDS += [json.dumps(ALLOWED_FOR_DEVICES[:3]).encode()]


def corpus_bodies() -> list[bytes]:
    """The bodies of the attack corpus that are one piece of text."""
    texts = [case.send[1] for module in (bodies, calls) for case in module.cases() if len(case.send) == 2]
    return [text.encode("latin-1") for text in texts if isinstance(text, str) and text]


def fuzz(gateway: Running, node: Node, device: Identity, count: int, seed: int) -> Counter[int]:
    """Send mutants to both blocks; the statuses that came back."""
    statuses: Counter[int] = Counter()
    every = SEEDS * 10 + corpus_bodies()
    for wallet, line in ((False, gateway.devices(device)), (True, gateway.wallets())):
        node.seen.clear()
        statuses += _send_all(line, mutants(every, count // 2, seed + wallet))
        for seen in node.calls():
            check(seen.body, wallet=wallet)
    gateway.hang_up()
    return statuses


def _send_all(line: HTTPConnection, attempts: list[bytes]) -> Counter[int]:
    statuses: Counter[int] = Counter()
    for body in attempts:
        answer = ask(line, body)
        assert answer.status == 200 or "reason" in answer.json["error"]["data"], body
        statuses[answer.status] += 1
    return statuses


@pytest.mark.slow
def test_mutants_that_pass_are_allowed_calls(shared: Running, shared_node: Node, device: Identity) -> None:
    """The short form: 4,000 mutants, some of which must pass and most of which must not."""
    statuses = fuzz(shared, shared_node, device, 4000, seed=20)
    print("statuses:", dict(statuses))
    assert statuses[200] > 100
    assert statuses[400] > 1000
    assert set(statuses) <= {200, 400, 403}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_mutants(shared: Running, shared_node: Node, device: Identity) -> None:
    """The long form, in lots that are forgotten when they have been checked."""
    total: Counter[int] = Counter()
    for lot in range(50):
        total += fuzz(shared, shared_node, device, 2000, seed=1000 + 2 * lot)
    print("statuses:", dict(total))  # under pytest -s, for docs/gateway.md
    assert total.total() == 100_000
    assert set(total) <= {200, 400, 403}


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[],"Method":"admin_peers"}',
        b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[],"param\xc5\xbf":[]}',
        b'{"jsonrpc":"2.0","id":1,"method":"admin_peers","params":[]}',
        b'{"jsonrpc":"2.0","id":1.5,"method":"eth_chainId","params":[]}',
        b'{"jsonrpc":"2.0","id":1,"method":"eth_getCode","params":["0x' + b"ab" * 20 + b'\n","latest"]}',
    ],
)
def test_decoder_itself_refuses(body: bytes) -> None:
    """A decoder that lets everything pass would prove nothing."""
    with pytest.raises(ForbiddenError):
        check(body, wallet=False)
