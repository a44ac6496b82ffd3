"""Who may do what on the chain: listed sealers, listed peers, keys behind sockets."""

import json
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from geth_network.cards import Bundle
from geth_network.errors import RpcError
from geth_network.folder import write_atomically
from geth_network.members import join
from geth_network.network import Role
from geth_network.patrol import public_key
from geth_network.settings import Settings
from tests.geth_network.chain import Chain, await_that

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Outsider:
    """Another member's run folder with one node, and that node's public key."""

    chain: Chain
    name: str
    key: str


def bundle_of(chain: Chain) -> Bundle:
    """What `export` would write, with the ports of the running nodes."""
    network = chain.network()
    peers = tuple(
        {"name": name, "enode": chain.ask(name)("admin_nodeInfo")["enode"], "address": network.node(name).address}
        for name in chain.names()
    )
    return Bundle.from_json(
        json.dumps(
            {
                "genesis": json.loads(chain.folder.genesis.read_text()), "genesis_hash": network.genesis_hash,
                "sealers": network.sealers, "treasury": network.treasury, "peers": peers, "ca": None,
            }
        )
    )  # fmt: skip


def listening(pid: int) -> set[tuple[str, int]]:
    """The addresses on which a process listens."""
    return {(c.laddr.ip, c.laddr.port) for c in psutil.Process(pid).net_connections("tcp") if c.status == "LISTEN"}


@pytest.mark.row("B16")
def test_every_port_is_on_loopback(shared: Chain) -> None:
    """Neither requests nor peers reach a node from outside the machine."""
    for name in shared.names():
        found = listening(shared.pid(name) or 0)
        assert {ip for ip, _ in found} <= {"127.0.0.1"}, name


def test_keys_are_unlocked_on_nodes_without_a_port_only(shared: Chain) -> None:
    """Sealers answer on their socket alone; RPC nodes hold no account."""
    ports = {int(url.rpartition(":")[2]) for url in shared.folder.read_ready()["rpc"]}
    for name in shared.names(Role.SEALER):
        (account,) = shared.ask(name)("eth_accounts")
        assert shared.ask(name)("eth_sign", account, "0x00"), "the key is unlocked"
        for _, port in listening(shared.pid(name) or 0):
            assert port not in ports
            assert not answers_http(port), f"{name} answers requests on port {port}"
    for name in shared.names(Role.RPC):
        assert shared.ask(name)("eth_accounts") == []
        with pytest.raises(RpcError, match="unknown account"):
            shared.ask(name)("eth_sign", account, "0x00")


def answers_http(port: int) -> bool:
    """Whether a JSON-RPC request without credentials is answered with a result."""
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_accounts","params":[]}'
    head = (
        f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.settimeout(2)
        try:
            connection.sendall(head.encode() + body)
            return b'"result"' in connection.recv(4096)
        except OSError:
            return False


@pytest.mark.parametrize(
    "method", ["admin_peers", "personal_listWallets", "debug_setHead", "clique_propose", "miner_stop"]
)
def test_rpc_ports_offer_no_administration(shared: Chain, method: str) -> None:
    """What changes a node is there on its socket only."""
    with pytest.raises(RpcError, match="does not exist"):
        shared.rpc()(method)


def test_secrets_are_for_the_owner_alone(shared: Chain) -> None:
    """Folders are 0700, passwords and keystores 0600; no secret is in a log or in network.json."""
    secrets = [*shared.folder.path.glob("**/password"), *shared.folder.path.glob("**/keystore.json")]
    assert len(secrets) == 8
    assert {path.stat().st_mode & 0o777 for path in secrets} == {0o600}
    assert {path.parent.stat().st_mode & 0o777 for path in secrets} == {0o700}
    words = shared.folder.network.read_text() + "".join(shared.folder.log(name).read_text() for name in shared.names())
    assert not [path for path in secrets if path.read_text().strip() in words]


def eth_peers(chain: Chain, name: str) -> set[str]:
    """Those with whom a node exchanges blocks."""
    peers = chain.ask(name)("admin_peers")
    return {public_key(peer["enode"]) for peer in peers if isinstance(peer["protocols"].get("eth"), dict)}


def make_foreign_genesis(chain: Chain, shared: Chain, bundle: Bundle) -> None:
    """Another genesis under the same chain id, and our nodes as peers."""
    chain.new(sealers=1, rpc_nodes=0, chain_id=shared.network().chain_id)
    write_atomically(chain.folder.network, replace(chain.network(), peers=bundle.peers).to_json())


def make_foreign_network(chain: Chain, bundle: Bundle) -> None:
    """The same genesis under another network id, which no hash covers."""
    join(chain.folder, bundle, Settings(sealers=1, rpc_nodes=0, peer_port=0), "outsider")
    network = chain.network()
    write_atomically(chain.folder.network, replace(network, chain_id=network.chain_id + 1).to_json())
    genesis = json.loads(chain.folder.genesis.read_text())
    genesis["config"]["chainId"] += 1
    write_atomically(chain.folder.genesis, json.dumps(genesis))


def make_outsiders(shared: Chain, stack: ExitStack) -> dict[str, Chain]:
    """Four run folders on other members' machines."""
    kinds = ("genesis", "network id", "unlisted", "not let in")
    paths = [stack.enter_context(tempfile.TemporaryDirectory(prefix="lc", dir="/tmp")) for _ in kinds]
    chains = dict(zip(kinds, (Chain(Path(path)) for path in paths), strict=True))
    bundle = bundle_of(shared)
    make_foreign_genesis(chains["genesis"], shared, bundle)
    make_foreign_network(chains["network id"], bundle)
    join(chains["unlisted"].folder, bundle, Settings(sealers=1, rpc_nodes=0, peer_port=0), "outsider")
    follower = Settings(sealers=0, rpc_nodes=1, peer_port=0, rpc_port=0)
    join(chains["not let in"].folder, bundle, follower, "outsider")
    return chains


@pytest.fixture(scope="module")
def outsiders(_shared: Chain) -> Iterator[dict[str, Outsider]]:
    """Four nodes of others, all at once, since each needs some blocks' time; our nodes dial all but the last."""
    with ExitStack() as stack:
        chains = make_outsiders(_shared, stack)
        for chain in chains.values():
            stack.enter_context(chain.up(wait=False))
        found = {kind: Outsider(chain, chain.names()[0], key_of(chain)) for kind, chain in chains.items()}
        for kind, outsider in found.items():
            if kind != "not let in":
                introduce(_shared, outsider)
        _shared.await_progress(blocks=6)
        yield found
        for outsider in found.values():
            withdraw(_shared, outsider.key)


def key_of(chain: Chain) -> str:
    """The public key of a run folder's only node, once it answers."""
    (name,) = chain.names()
    await_that(lambda: chain.head(name), f"{name}; {chain.words()}")
    return str(public_key(chain.ask(name)("admin_nodeInfo")["enode"]))


def introduce(shared: Chain, outsider: Outsider) -> None:
    """Lets our nodes dial the outsider's, as `add-member` would."""
    enode = outsider.chain.ask(outsider.name)("admin_nodeInfo")["enode"]
    for ours in shared.names():
        shared.ask(ours)("admin_addTrustedPeer", enode)
        shared.ask(ours)("admin_addPeer", enode)


def withdraw(shared: Chain, key: str) -> None:
    """Forgets an outsider's node."""
    for ours in shared.names():
        for method in ("admin_removeTrustedPeer", "admin_removePeer"):
            shared.ask(ours)(method, f"enode://{key}@127.0.0.1:1")


@pytest.mark.row("B1", "M3", "M17")
@pytest.mark.parametrize("difference", ["genesis", "network id"])
def test_a_foreign_node_cannot_peer(shared: Chain, outsiders: dict[str, Outsider], difference: str) -> None:
    """Another genesis under the same chain id, or the same genesis under another network id: no blocks flow."""
    outsider = outsiders[difference]
    assert not eth_peers(outsider.chain, outsider.name)
    assert not [ours for ours in shared.names() if outsider.key in eth_peers(shared, ours)]
    assert outsider.chain.block_hash(outsider.name, 1) != shared.block_hash("seller", 1)


@pytest.mark.row("B2", "T7")
def test_an_unlisted_sealer_follows_and_changes_nothing(shared: Chain, outsiders: dict[str, Outsider]) -> None:
    """Let in as a peer but not voted for, it gets the same chain, and not one block is its own.

    This is also the late join: head and state root are those of the others.
    """
    outsider = outsiders["unlisted"]
    goal = min(shared.number(name) for name in shared.names())
    outsider.chain.await_number(goal)
    block = hex(goal - 3)
    asks = (outsider.chain.ask(outsider.name), shared.rpc())
    assert len({ask("eth_getBlockByNumber", block, False)["stateRoot"] for ask in asks}) == 1
    listed = {address.lower() for address in shared.network().sealers}
    hashes = [shared.block_hash("seller", number) for number in range(goal - 6, goal + 1)]
    assert {shared.ask("seller")("clique_getSigner", found).lower() for found in hashes} <= listed
    assert str(outsider.chain.network().node(outsider.name).address).lower() not in listed


@pytest.mark.row("M3")
def test_a_node_that_nobody_let_in_gets_nothing(shared: Chain, outsiders: dict[str, Outsider]) -> None:
    """A bundle alone is not enough: while all listed nodes are there, no place is free."""
    outsider = outsiders["not let in"]
    assert not eth_peers(outsider.chain, outsider.name)
    assert outsider.chain.number(outsider.name) == 0
    assert not [ours for ours in shared.names() if outsider.key in eth_peers(shared, ours)]
