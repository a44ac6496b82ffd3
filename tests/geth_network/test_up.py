"""A network of real nodes: comes up, tells where it is, serves, stops in order."""

import json
import socket

import psutil
import pytest
from eth_account.signers.local import LocalAccount

from geth_network import fund, status
from geth_network.amounts import ETHER
from geth_network.errors import RpcError
from geth_network.network import Role
from tests.geth_network.chain import Chain, await_that, left_behind

pytestmark = pytest.mark.slow
SOMEBODY = "0x" + "12" * 20


def transfer(shared: Chain, payer: LocalAccount, **fields: object) -> bytes:
    """A signed transfer of one wei."""
    nonce = int(shared.rpc()("eth_getTransactionCount", payer.address, "pending"), 16)
    details: dict[str, object] = {"chainId": shared.network().chain_id, "to": SOMEBODY, "value": 1, "gas": 21_000}
    return bytes(payer.sign_transaction({"nonce": nonce, "gasPrice": 10**9, **details, **fields}).raw_transaction)


def test_ready_json_says_where_the_chain_is(shared: Chain) -> None:
    """Its keys are those of docs/interfaces.md, and the URLs answer."""
    ready, network = shared.folder.read_ready(), shared.network()
    assert ready["chain_id"] == network.chain_id
    assert (ready["period_s"], ready["epoch"], ready["treasury"]) == (1, 1000, network.treasury)
    assert sorted(ready["sealers"]) == sorted(network.sealers)
    assert psutil.Process(ready["pid"]).is_running()
    assert [int(shared.rpc(i)("eth_chainId"), 16) for i in range(len(ready["rpc"]))] == [network.chain_id] * 2


@pytest.mark.row("B1", "B5", "B8")
def test_a_transaction_sent_to_one_node_is_read_on_all(shared: Chain, payer: LocalAccount) -> None:
    """A raw transaction to the first RPC node; every node shows the same receipt and balance."""
    sent = shared.rpc(0)("eth_sendRawTransaction", "0x" + transfer(shared, payer).hex())
    for name in shared.names():
        receipt = await_that(lambda name=name: shared.ask(name)("eth_getTransactionReceipt", sent), f"{sent} on {name}")
        assert receipt["status"] == "0x1"
    at = receipt["blockNumber"]
    shared.await_agreement(int(at, 16))
    assert len({shared.ask(name)("eth_getBalance", SOMEBODY, at) for name in shared.names()}) == 1


@pytest.mark.row("B5")
@pytest.mark.parametrize("chain_id", [1, 20260])
def test_a_transaction_of_another_chain_is_refused(shared: Chain, payer: LocalAccount, chain_id: int) -> None:
    """What was signed for a test chain cannot be replayed here."""
    with pytest.raises(RpcError, match="invalid sender"):
        shared.rpc()("eth_sendRawTransaction", "0x" + transfer(shared, payer, chainId=chain_id).hex())


@pytest.mark.row("B5")
def test_a_transaction_with_a_bad_signature_is_refused(shared: Chain, payer: LocalAccount) -> None:
    """One changed bit makes it somebody else's, who has no ether, or nobody's."""
    raw = bytearray(transfer(shared, payer))
    raw[-1] ^= 1
    with pytest.raises(RpcError):
        shared.rpc()("eth_sendRawTransaction", "0x" + raw.hex())


@pytest.mark.row("B7")
def test_the_lowest_price_is_mined(shared: Chain, payer: LocalAccount) -> None:
    """A tip of one wei over the base fee is enough on every sealer."""
    base = int(shared.rpc()("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
    raw = transfer(shared, payer, gasPrice=base + 1)
    sent = shared.rpc()("eth_sendRawTransaction", "0x" + raw.hex())
    assert fund.await_mined(shared.rpc(), sent, 60)["status"] == "0x1"


def test_fund_pays_from_the_treasury(shared: Chain) -> None:
    """Exactly the amount arrives, and it is mined when the command ends."""
    before = int(shared.rpc()("eth_getBalance", SOMEBODY, "latest"), 16)
    payment = fund.fund(shared.folder, SOMEBODY, 3 * ETHER // 2)
    assert payment.balance_wei - before == 3 * ETHER // 2
    assert payment.block > 0


def test_status_shows_each_node(shared: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    """Node, role, head, peers, age, turn and memory, as a table and as JSON."""
    lines = {line.node: line for line in status.read_status(shared.folder)}
    assert list(lines) == [node.name for node in shared.network().nodes]
    assert all(line.state == "up" and line.memory_mb for line in lines.values())
    for name in shared.names():
        assert lines[name].head
        assert lines[name].peers
        assert lines[name].age_s is not None
    assert {lines[name].turn for name in shared.names(Role.SEALER)} <= {"next", "in 2", "in 3"}
    assert json.loads(status.as_json(list(lines.values())))[0]["role"] == "bootnode"
    status.print_table(list(lines.values()))
    assert "operator" in capsys.readouterr().out


def test_nodes_give_free_memory_back(shared: Chain) -> None:
    """The watchdog has every node collect its garbage and return the pages, again and again."""
    for name in shared.names():
        ask = shared.ask(name)
        await_that(lambda ask=ask: ask("debug_memStats")["NumForcedGC"] > 0, f"{name} tidied")


def test_attach_and_logs_reach_a_node(shared: Chain) -> None:
    """Geth's console on a node's socket, and the end of its log."""
    assert shared.run("attach", "operator", "--exec", "net.listening").stdout.strip() == "true"
    assert shared.run("logs", "operator", "-n", "3").stdout.strip()


def test_a_second_start_is_refused(shared: Chain) -> None:
    """The lock is held; the running network is untouched."""
    refused = shared.run("up", check=False)
    assert refused.returncode == 1
    assert f"in use by process {shared.folder.read_ready()['pid']}" in refused.stderr
    shared.await_progress(blocks=1)


def test_down_stops_all_and_a_restart_goes_on(chain: Chain) -> None:
    """One SIGINT a node, nothing is left; nor is it after kill -9 of the supervisor; each start goes on."""
    chain.new(sealers=1, rpc_nodes=1)
    with chain.up():
        pids = [chain.pid(node.name) for node in chain.network().nodes]
        goal = chain.await_progress()
        block = chain.await_agreement(goal)
        assert "stopped" in chain.run("down").stdout
        assert not [pid for pid in pids if pid and psutil.pid_exists(pid)]
        assert not left_behind(chain.home)
    process = chain.start()
    chain.await_ready()
    assert chain.await_agreement(goal) == block
    pids = [chain.pid(node.name) for node in chain.network().nodes]
    process.kill()
    process.wait(30)
    await_that(lambda: not [pid for pid in pids if psutil.pid_exists(pid or 0)], "the nodes' end")
    with chain.up():
        assert chain.await_agreement(goal) == block
    logs = "".join(chain.folder.log(name).read_text() for name in chain.names())
    assert "Already shutting down" not in logs


def test_ports_are_those_that_were_asked_for(chain: Chain) -> None:
    """A fixed port is used; the same one taken is refused in words and leaves nothing behind."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        chain.new(sealers=1, rpc_nodes=1)
        path = chain.folder.network
        path.write_text(path.read_text().replace('"rpc_port": 0', f'"rpc_port": {taken.getsockname()[1]}'))
        refused = chain.run("up", check=False)
    assert refused.returncode == 1
    assert "in use by another process" in refused.stderr
    assert not left_behind(chain.home)
