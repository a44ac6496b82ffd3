"""What members give each other: a bundle to join with, a card to be let in with; pure."""

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any, Self

from geth_network.errors import BundleError, SettingsError
from geth_network.genesis import build_genesis, genesis_hash
from geth_network.network import Network, Peer, Role


@dataclass(frozen=True)
class Card:
    """One node of a member that wants in; holds nothing secret."""

    chain_id: int
    genesis_hash: str
    peers: tuple[Peer, ...]

    def to_json(self) -> str:
        """The text of a card."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a card; refuses anything else in words."""
        try:
            data = parse(text)
            peers = tuple(Peer(**peer) for peer in data["peers"])
            if not peers:
                raise ValueError("it names no node")
            return cls(int(data["chain_id"]), str(data["genesis_hash"]), peers)
        except (ValueError, TypeError, KeyError, RecursionError) as damage:
            raise BundleError(f"this is not a member's card ({damage}): `lading-chain join` writes one") from damage


@dataclass(frozen=True)
class Bundle:
    """What a new member needs: the genesis, the nodes to speak to, the certificate of the consortium's CA."""

    genesis: dict[str, Any]
    genesis_hash: str
    sealers: tuple[str, ...]
    treasury: str | None
    peers: tuple[Peer, ...]
    ca: str | None

    def to_json(self) -> str:
        """The text of a bundle."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a bundle and recomputes the genesis hash from the genesis."""
        try:
            data = parse(text)
            peers = tuple(Peer(**peer) for peer in data["peers"])
            bundle = cls(**data | {"peers": peers, "sealers": tuple(data["sealers"])})
            found = genesis_hash(bundle.genesis)
            check_rebuilt(bundle.genesis)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as damage:
            raise BundleError(f"not a bundle of a chain ({damage}): `lading-chain export` writes one") from damage
        if found != bundle.genesis_hash:
            raise BundleError(
                f"the bundle's genesis hashes to {found[:18]}…, not to the {bundle.genesis_hash[:18]}… it names: "
                "it was changed on the way; ask for it again"
            )
        return bundle


def parse(text: str) -> dict[str, Any]:
    """Reads a stranger's JSON; py_ecc, which comes with eth-account, lifts Python's guard against deep nesting."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    try:
        return dict(json.loads(text))
    finally:
        sys.setrecursionlimit(limit)


def check_rebuilt(genesis: dict[str, Any]) -> None:
    """Refuses a genesis with anything in it that ours would not have (other forks, other balances' code)."""
    config = genesis["config"]
    sealers = genesis["extraData"][66:-130]
    try:
        rebuilt = build_genesis(
            chain_id=config["chainId"], period_s=config["clique"]["period"], epoch=config["clique"]["epoch"],
            gas_limit=int(genesis["gasLimit"], 16),
            sealers=["0x" + sealers[i : i + 40] for i in range(0, len(sealers), 40)],
            alloc_wei={address: int(entry["balance"], 16) for address, entry in genesis["alloc"].items()},
        )  # fmt: skip
    except SettingsError as refusal:
        raise BundleError(f"the bundle's genesis is not one of ours: {refusal}") from refusal
    if rebuilt != genesis:
        raise BundleError("the bundle's genesis has rules that this program does not make: ask for it again")


def card_of(network: Network) -> Card:
    """The card of our nodes."""
    return Card(network.chain_id, str(network.genesis_hash), our_peers(network))


def our_peers(network: Network) -> tuple[Peer, ...]:
    """Our nodes as others see them."""
    nodes = [node for node in network.nodes if node.role is not Role.BOOTNODE]
    return tuple(Peer(node.name, node.enode(network.host), node.address) for node in nodes)
