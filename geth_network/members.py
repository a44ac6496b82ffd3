"""`export`, `join`, `add-member`, `remove-member`: a consortium across machines.

A member's keys never leave its machine: it gets a bundle, makes its own keys, and sends back a card.
Others let its nodes connect, and its sealer seals once more than half of the sealers have voted for it.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from geth_network.cards import Bundle, Card, card_of, our_peers
from geth_network.create import create_nodes
from geth_network.errors import BundleError, FolderError, RpcError, RunningError
from geth_network.folder import Folder, write_atomically
from geth_network.genesis import genesis_text
from geth_network.network import Kind, Network, Node, Peer, Role, load_network
from geth_network.patrol import ask_peers, public_key
from geth_network.rpc import IpcNode
from geth_network.settings import Settings


def export(folder: Folder, ca: str | None = None) -> Bundle:
    """The bundle of this chain. Every node that others are to reach needs a fixed port."""
    network = load_network(folder.network)
    if network.kind is not Kind.GETH:
        raise BundleError(f"{network.kind} is one node: nobody can join it")
    if any(node.peer_port == 0 for node in network.nodes):
        raise BundleError("this chain's peer ports are chosen anew at each start: make it with a fixed --peer-port")
    genesis = json.loads(folder.genesis.read_text())
    peers = (*our_peers(network), *network.peers)
    return Bundle(genesis, str(network.genesis_hash), network.sealers, network.treasury, peers, ca)


def join(folder: Folder, bundle: Bundle, settings: Settings, prefix: str) -> Card:
    """Makes our nodes and keys for the bundle's chain, in an unused folder."""
    if folder.network.exists():
        raise FolderError(f"{folder.path} already holds a chain: choose another LADING_HOME, or move that folder away")
    clique = bundle.genesis["config"]["clique"]
    with folder.held():
        nodes = create_nodes(folder, settings, [f"{prefix}-{i + 1}" for i in range(settings.sealers)], f"{prefix}-rpc")
        network = Network(
            kind=Kind.GETH, chain_id=bundle.genesis["config"]["chainId"], period_s=clique["period"],
            epoch=clique["epoch"], gas_limit=int(bundle.genesis["gasLimit"], 16), genesis_hash=bundle.genesis_hash,
            sealers=bundle.sealers, treasury=bundle.treasury, host=settings.host, allow=settings.allow,
            nodes=nodes, peers=bundle.peers,
        )  # fmt: skip
        folder.check_socket_paths([node.name for node in nodes])
        write_atomically(folder.genesis, genesis_text(bundle.genesis))
        if bundle.ca:
            write_atomically(folder.path / "ca.pem", bundle.ca)
        write_atomically(folder.network, network.to_json())
    return card_of(network)


def add_member(folder: Folder, card: Card, say: Callable[[str], None]) -> None:
    """Lets a member's nodes connect and, once they have, votes for its sealers."""
    network = admit(folder, card)
    for peer in card.peers:
        say(f"{peer.name} may connect")
        if peer.address:
            await_follower(running_nodes(folder, network, network.nodes), peer)
            vote(folder, network, peer.address, wanted=True, say=say)


def admit(folder: Folder, card: Card) -> Network:
    """Lets a member's nodes connect, now and after restarts."""
    network = load_network(folder.network)
    if (card.chain_id, card.genesis_hash) != (network.chain_id, network.genesis_hash):
        raise BundleError(f"the card is for chain {card.chain_id}, this is chain {network.chain_id}")
    known = {peer.enode for peer in network.peers}
    network = replace(network, peers=(*network.peers, *(peer for peer in card.peers if peer.enode not in known)))
    write_atomically(folder.network, network.to_json())
    for ask in running_nodes(folder, network, network.nodes):
        for peer in card.peers:
            ask("admin_addTrustedPeer", peer.enode)
            ask("admin_addPeer", peer.enode)
    return network


def await_follower(asks: list[IpcNode], peer: Peer, timeout_s: float = 120) -> None:
    """Waits until a new sealer's node is connected: one that is voted in and not there may stop the chain."""
    deadline = time.monotonic() + timeout_s
    while not any(public_key(peer.enode) in ask_peers(ask) for ask in asks):
        if time.monotonic() > deadline:
            raise RunningError(
                f"{peer.name} may connect but has not within {timeout_s:.0f} s, so no vote was cast: "
                "let its member start it (`lading-chain up`) and add your card (`lading-chain add-member`), "
                "then repeat this command"
            )
        time.sleep(0.2)


def remove_member(folder: Folder, who: str, say: Callable[[str], None]) -> None:
    """Votes a sealer out, and then no longer lets the member's nodes connect; `who` is a name or a sealer's address.

    Not before: as long as it is listed, blocks may wait for its turn, and its own vote may be needed.
    """
    network = load_network(folder.network)
    ours = [Peer(n.name, n.enode(network.host), n.address) for n in network.of_role(Role.SEALER)]
    gone = [peer for peer in (*network.peers, *ours) if who.lower() in {peer.name.lower(), str(peer.address).lower()}]
    if not gone:
        raise FolderError(f"no member is called {who!r}; see `peers` and `nodes` in {folder.network}")
    for peer in gone:
        if peer.address and not vote(folder, network, peer.address, wanted=False, say=say):
            say(f"{peer.name} stays connected until then: repeat this command when it is voted out")
            return
    rest = tuple(peer for peer in network.peers if peer not in gone)
    write_atomically(folder.network, replace(network, peers=rest).to_json())
    for ask in running_nodes(folder, network, network.nodes):
        for peer in set(gone) & set(network.peers):
            ask("admin_removeTrustedPeer", peer.enode)
            ask("admin_removePeer", peer.enode)


def vote(
    folder: Folder, network: Network, address: str, *, wanted: bool, say: Callable[[str], None], timeout_s: float = 60
) -> bool:
    """Our sealers propose; waits as long as our own votes can decide. Returns whether it is decided."""
    asks = [ask for ask in running_nodes(folder, network, network.of_role(Role.SEALER)) if own_vote_counts(ask)]
    if not asks:
        raise RunningError("none of our sealers is running and listed, so there is no vote to cast")
    for ask in asks:
        ask("clique_propose", address, wanted)
    deadline = time.monotonic() + timeout_s
    majority = len(asks) > len(asks[0]("clique_getSigners")) // 2 or is_listed(asks[0], address) is wanted
    while majority and is_listed(asks[0], address) is not wanted:
        if time.monotonic() > deadline:
            raise RpcError(f"the votes on {address} have not been counted after {timeout_s:.0f} s: look at `status`")
        time.sleep(0.2)
    verb = "in" if wanted else "out"
    if not majority:
        say(f"our votes for {address} {verb} are cast; it takes more than half of the sealers: ask the other members")
        return False
    for ask in asks:
        ask("clique_discard", address)
    say(f"{address} is voted {verb}")
    return True


def is_listed(ask: IpcNode, address: str) -> bool:
    """Whether the chain lists this sealer."""
    return address.lower() in {signer.lower() for signer in ask("clique_getSigners")}


def own_vote_counts(ask: IpcNode) -> bool:
    """Whether the sealer behind this socket is listed itself."""
    return is_listed(ask, ask("eth_coinbase"))


def running_nodes(folder: Folder, network: Network, nodes: tuple[Node, ...]) -> list[IpcNode]:
    """Those of the nodes that answer now."""
    asks = [IpcNode(folder.ipc(n.name)) for n in network.nodes if n in nodes and n.role is not Role.BOOTNODE]
    found = []
    for ask in asks:
        with suppress(RpcError):
            ask("net_version")
            found.append(ask)
    return found
