"""What each node is started with."""

import tomllib
from pathlib import Path

from geth_network.flags import bootnode_command, geth_command, geth_config
from geth_network.folder import Folder
from geth_network.network import Kind, Network, Node, Role

NODES = (
    Node("bootnode", Role.BOOTNODE, "0" * 128, 30300),
    Node("seller", Role.SEALER, "1" * 128, 30301, address="0x" + "11" * 20),
    Node("rpc-1", Role.RPC, "2" * 128, 30302, rpc_port=8545),
)
NETWORK = Network(
    kind=Kind.GETH, chain_id=7, period_s=1, epoch=1000, gas_limit=30_000_000, genesis_hash="0x00",
    sealers=("0x" + "11" * 20,), treasury=None, host="10.0.0.1", allow="10.0.0.0/24", nodes=NODES,
)  # fmt: skip
FOLDER = Folder(Path("/run/lading/chain"))


def flags_of(name: str) -> list[str]:
    """A node's command line."""
    return geth_command(Path("geth"), FOLDER, NETWORK, NETWORK.node(name))


def test_a_sealer_has_a_key_and_no_port() -> None:
    """It unlocks its key and answers on its socket only."""
    flags = flags_of("seller")
    assert {"--mine", "--unlock"} <= set(flags)
    assert not [flag for flag in flags if flag.startswith(("--http", "--ws", "--allow-insecure"))]


def test_an_rpc_node_has_a_port_on_loopback_and_no_key() -> None:
    """It neither seals nor unlocks."""
    flags = flags_of("rpc-1")
    assert flags[flags.index("--http.addr") + 1] == "127.0.0.1"
    assert flags[flags.index("--http.api") + 1] == "eth,net,web3"
    assert not {"--mine", "--unlock", "--password"} & set(flags)


def test_every_node_keeps_every_state_on_disk() -> None:
    """Without it kill -9 of all nodes rewinds the chain."""
    for name in ("seller", "rpc-1"):
        flags = flags_of(name)
        assert flags[flags.index("--gcmode") + 1] == "archive"
        assert flags[flags.index("--syncmode") + 1] == "full"
        assert flags[flags.index("--netrestrict") + 1] == "10.0.0.0/24"


def test_a_node_has_a_place_for_each_other_listed_node() -> None:
    """Static and trusted, as many as there are, and itself not among them."""
    enodes = [node.enode(NETWORK.host) for node in NODES[1:]]
    peers = tomllib.loads(geth_config(NETWORK, NODES[1], enodes, []))["Node"]["P2P"]
    assert peers["StaticNodes"] == peers["TrustedNodes"] == [f"enode://{'2' * 128}@10.0.0.1:30302"]
    assert (peers["MaxPeers"], peers["DialRatio"]) == (1, 1)
    assert peers["ListenAddr"] == "10.0.0.1:30301"


def test_the_bootnode_keeps_to_the_members_networks() -> None:
    """It listens where the others find it."""
    assert bootnode_command(Path("bootnode"), FOLDER, NETWORK, NODES[0])[-4:] == [
        "-addr", "10.0.0.1:30300", "-netrestrict", "10.0.0.0/24",
    ]  # fmt: skip


def test_a_description_survives_its_file() -> None:
    """network.json holds everything."""
    assert Network.from_json(NETWORK.to_json()) == NETWORK
