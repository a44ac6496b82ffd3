"""What a network is: its chain, its nodes, the other members' nodes; kept in chain/network.json."""

import json
import re
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from geth_network.errors import BundleError, FolderError

MEMBER_NAMES = ("seller", "buyer", "operator")
ENODE = re.compile(r"enode://[0-9a-f]{128}@[0-9A-Za-z.:\[\]-]+:\d{1,5}")


class Role(StrEnum):
    """What a node is for."""

    BOOTNODE = "bootnode"
    SEALER = "sealer"
    RPC = "rpc"


class Kind(StrEnum):
    """What runs the chain: geth, or a light stand-in for development."""

    GETH = "geth"
    ANVIL = "anvil"
    GANACHE = "ganache"


@dataclass(frozen=True)
class Node:
    """One node of ours; a port 0 is chosen when it starts."""

    name: str
    role: Role
    public_key: str
    peer_port: int
    rpc_port: int | None = None
    address: str | None = None

    def enode(self, host: str) -> str:
        """The address by which peers know this node."""
        return f"enode://{self.public_key}@{host}:{self.peer_port}"


@dataclass(frozen=True)
class Peer:
    """A node of another member; `address` is its sealer's."""

    name: str
    enode: str
    address: str | None = None

    def __post_init__(self) -> None:
        """Refuses what geth would refuse much later, and in its log only."""
        if not ENODE.fullmatch(self.enode):
            raise BundleError(f"{self.enode[:80]!r} is not an enode address (enode://<128 hex digits>@host:port)")


@dataclass(frozen=True)
class Network:
    """The chain and who takes part in it."""

    kind: Kind
    chain_id: int
    period_s: int
    epoch: int
    gas_limit: int
    genesis_hash: str | None
    sealers: tuple[str, ...]
    treasury: str | None
    host: str
    allow: str
    nodes: tuple[Node, ...]
    peers: tuple[Peer, ...] = ()

    def of_role(self, role: Role) -> tuple[Node, ...]:
        """Our nodes of one role, in order."""
        return tuple(node for node in self.nodes if node.role is role)

    def node(self, name: str) -> Node:
        """Our node of this name."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise FolderError(f"no node is called {name!r}; there are {', '.join(n.name for n in self.nodes)}")

    def node_with_chain(self, name: str) -> Node:
        """Our node of this name, unless it is the bootnode, which only introduces others."""
        node = self.node(name)
        if node.role is Role.BOOTNODE:
            others = ", ".join(other.name for other in self.nodes if other != node)
            raise FolderError(f"{name} holds no chain: name one of {others}")
        return node

    def with_ports(self, ports: dict[str, tuple[int, int | None]]) -> Self:
        """The same network with (peer port, RPC port) of each node filled in."""
        nodes = tuple(replace(n, peer_port=ports[n.name][0], rpc_port=ports[n.name][1]) for n in self.nodes)
        return replace(self, nodes=nodes)

    def to_json(self) -> str:
        """The text of network.json."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        data["kind"] = Kind(data["kind"])
        data["nodes"] = tuple(Node(**node | {"role": Role(node["role"])}) for node in data["nodes"])
        data["peers"] = tuple(Peer(**peer) for peer in data["peers"])
        data["sealers"] = tuple(data["sealers"])
        return cls(**data)


def sealer_names(count: int) -> list[str]:
    """The first three sealers are the consortium's members."""
    return [*MEMBER_NAMES[:count], *(f"sealer-{i + 1}" for i in range(len(MEMBER_NAMES), count))]


def load_network(path: Path) -> Network:
    """The network of a run folder."""
    try:
        return Network.from_json(path.read_text())
    except FileNotFoundError:
        raise FolderError(f"there is no chain in {path.parent}: run `lading-chain new` first") from None
    except (ValueError, TypeError, KeyError) as damage:
        raise FolderError(f"{path} is damaged ({damage}): restore it from a backup") from damage
