"""`lading-chain new`: accounts, node keys, genesis, network.json. Starts nothing."""

import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from geth_network.amounts import ETHER
from geth_network.errors import FolderError, SettingsError
from geth_network.folder import Folder, write_atomically
from geth_network.genesis import MAX_CHAIN_ID, build_genesis, check_rules, genesis_hash, genesis_text
from geth_network.keys import create_account, create_node_key
from geth_network.network import Kind, Network, Node, Role, sealer_names
from geth_network.settings import Settings


def check_counts(sealers: int, rpc_nodes: int, *, allow_even: bool) -> None:
    """Sealers come in odd numbers: one more to make it even tolerates no more failures."""
    if sealers < 1 or rpc_nodes < 0 or sealers + rpc_nodes > 100:
        raise SettingsError("a network has 1 sealer or more, 0 RPC nodes or more, and at most 100 nodes")
    if sealers % 2 == 0 and not allow_even:
        raise SettingsError(
            f"with {sealers} sealers {(sealers - 1) // 2} may fail, no more than with {sealers - 1}, and one more can: "
            f"choose {sealers - 1} or {sealers + 1}, or say --even if you mean it"
        )


def create_nodes(folder: Folder, settings: Settings, sealers: list[str], rpc: str = "rpc") -> tuple[Node, ...]:
    """The bootnode, the sealers with their accounts, the RPC nodes; keys are made here."""
    plan = [("bootnode", Role.BOOTNODE), *((name, Role.SEALER) for name in sealers)]
    plan += [(f"{rpc}-{i + 1}", Role.RPC) for i in range(settings.rpc_nodes)]
    return tuple(create_node(folder, settings, name, role, place) for place, (name, role) in enumerate(plan))


def create_node(folder: Folder, settings: Settings, name: str, role: Role, place: int) -> Node:
    """One node; `place` counts ports up from the settings' first."""
    data = folder.data(name)
    rpc_port = None
    if role is Role.RPC:
        rpc_port = settings.rpc_port and settings.rpc_port + place - 1 - settings.sealers
    return Node(
        name, role, create_node_key(data / "geth" / "nodekey"),
        peer_port=settings.peer_port and settings.peer_port + place,
        rpc_port=rpc_port,
        address=create_account(data / "account") if role is Role.SEALER else None,
    )  # fmt: skip


def create_network(
    folder: Folder,
    settings: Settings,
    *,
    kind: Kind = Kind.GETH,
    alloc_wei: Mapping[str, int] = MappingProxyType({}),
    allow_even: bool = False,
) -> Network:
    """Makes a new chain in an unused folder."""
    check_counts(settings.sealers, settings.rpc_nodes, allow_even=allow_even)
    chain_id = settings.chain_id if settings.chain_id is not None else 1 + secrets.randbelow(MAX_CHAIN_ID)
    rules: dict[str, Any] = {key: getattr(settings, key) for key in ("period_s", "epoch", "gas_limit")}
    rules["chain_id"] = chain_id
    check_rules(**rules)
    if folder.network.exists():
        raise FolderError(f"{folder.path} already holds a chain: choose another LADING_HOME, or move that folder away")
    with folder.held():
        names = sealer_names(settings.sealers)
        nodes = create_nodes(folder, settings, names) if kind is Kind.GETH else standin_nodes(settings)
        folder.check_socket_paths([node.name for node in nodes])
        sealers = tuple(sorted((str(n.address) for n in nodes if n.address), key=str.lower))
        treasury = create_account(folder.treasury)
        alloc = {treasury: settings.treasury_ether * ETHER} | dict(alloc_wei)
        genesis = build_genesis(**rules, sealers=sealers, alloc_wei=alloc)
        write_atomically(folder.genesis, genesis_text(genesis))
        network = Network(
            kind=kind, **rules, genesis_hash=genesis_hash(genesis) if kind is Kind.GETH else None,
            sealers=sealers, treasury=treasury, host=settings.host, allow=settings.allow, nodes=nodes,
        )  # fmt: skip
        write_atomically(folder.network, network.to_json())
    return network


def standin_nodes(settings: Settings) -> tuple[Node, ...]:
    """A stand-in is one process, whatever number of nodes was asked for."""
    return (Node("rpc-1", Role.RPC, "", peer_port=0, rpc_port=settings.rpc_port),)
