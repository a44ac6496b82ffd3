"""Looks at the chain every few seconds and ends a deadlock, or an isolation that geth would sit out."""

import socket
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

from geth_network.delivery import Delivery
from geth_network.errors import RpcError
from geth_network.network import Network, Role
from geth_network.rpc import Head, IpcNode, head_of
from geth_network.supervisor import Supervisor
from geth_network.watchdog import Ascent, Nudge, Solitude, StallWatch, View

LOOK_EVERY_S = 1.0
TIDY_EVERY_S = 15.0
LONGEST_REST_S = 15.0
Answer = tuple[Head, dict[str, str]]  # a node's head, and its peers' heads by public key


class Patrol:
    """The watchdog's eyes and hands; `StallWatch` and `Solitude` decide."""

    def __init__(self, supervisor: Supervisor, quiet_s: float) -> None:
        self.supervisor, self.network = supervisor, supervisor.network
        self.quiet_s = max(quiet_s, 4 * self.network.period_s)
        self.sealers = [node for node in self.network.of_role(Role.SEALER) if node.name in supervisor.nodes]
        self.stall: StallWatch | None = None
        self.nudge = Nudge(self.quiet_s)
        self.watched = supervisor.chain_nodes()
        self.solitude = {name: Solitude(2 * self.quiet_s) for name in self.watched}
        self.ascent = {name: Ascent() for name in self.watched}
        self.delivery = Delivery()
        self.resting: dict[str, tuple[int, float]] = {}
        self.next_look = 0.0
        self.next_tidy = time.monotonic() + TIDY_EVERY_S

    def __call__(self) -> None:
        """Looks, if it is time."""
        now = time.monotonic()
        if self.watched and now >= self.next_look:
            self.next_look = now + LOOK_EVERY_S
            self.look(now)
        if self.watched and now >= self.next_tidy:
            self.next_tidy = now + TIDY_EVERY_S
            self.ask_all(tidy)
            self.deliver()

    def deliver(self) -> None:
        """Hands our sealers what has waited in our RPC nodes for a whole round."""
        own = {node.name for node in self.sealers}
        sealers, holders = ([self.supervisor.ipc(name) for name in names] for names in (own, set(self.watched) - own))
        handed = self.delivery.round(holders, sealers)
        if handed:
            self.supervisor.say(f"told our sealers again of transactions that have waited: {len(handed)}")

    def look(self, now: float) -> None:
        """One look, and at most one act."""
        signers = sorted(address.lower() for address in self.supervisor.signers())
        everybody = self.ask_all(ask_node)
        own = {node.name for node in self.sealers}
        answers = {name: answer for name, answer in everybody.items() if name in own}
        self.wake(answers, now)
        for name, answer in everybody.items():
            why = self.reason_to_restart(name, answer, signers if name in own else None, now)
            if why:
                self.supervisor.say(f"{name} {why}")
                self.supervisor.restart(name)
                return
        self.end_deadlock(answers, signers, now)

    def reason_to_restart(self, name: str, answer: Answer, signers: list[str] | None, now: float) -> str | None:
        """Why a node that answers should start again, or None; `signers` are given for a sealer."""
        head, peers = answer
        company = bool(peers) if signers is None else self.sealers_in_reach(name, peers, signers) > len(signers) // 2
        if self.solitude[name].look(company, now, partial(self.someone_listens, name, peers)):
            return "has lost its peers, though some listen: restarting it to dial at once"
        if self.ascent[name].look(head.number, at_head=time.time() - head.time <= self.quiet_s):
            return f"has fetched the chain up to block {head.number}: restarting it to give back what that took"
        return None

    def ask_all(self, question: Callable[[IpcNode], Answer | None]) -> dict[str, Answer]:
        """The answers of our nodes, all asked at once; without those that do not answer."""
        with ThreadPoolExecutor(max_workers=len(self.watched)) as pool:
            answers = pool.map(lambda name: question(self.supervisor.ipc(name)), self.watched)
            return {name: answer for name, answer in zip(self.watched, answers, strict=True) if answer}

    def end_deadlock(self, answers: Mapping[str, Answer], signers: list[str], now: float) -> None:
        """Takes one sealer back when the chain stands still for no other reason."""
        addresses = {node.name: str(node.address).lower() for node in self.sealers}
        ranks = {name: signers.index(address) for name, address in addresses.items() if address in signers}
        if self.stall is None or self.stall.sealer_count != len(signers) or self.stall.ranks != ranks:
            self.stall = StallWatch(len(signers), ranks, self.quiet_s)
        peer_heads = frozenset(head for _, peers in answers.values() for head in peers.values() if head)
        heads = {name: head for name, (head, _) in answers.items()}
        asleep = {node.public_key for node in self.sealers if node.name not in answers}  # connected, but suspended
        awake = [self.sealers_in_reach(name, peers.keys() - asleep, signers) for name, (_, peers) in answers.items()]
        view = View(heads, peer_heads, max(awake, default=0))
        if self.nudge.look(view, len(signers), now):
            self.tell_again(name for name in heads if name not in self.resting)
        name = self.stall.look(view, now)
        if name is not None:
            self.take_back(name, heads[name].number, self.stall.blocks_back(), now)

    def tell_again(self, names: Iterable[str]) -> None:
        """Lets sealers begin the next block anew."""
        self.supervisor.say(f"no block for {self.quiet_s:.0f} s: telling our sealers again to seal")
        for name in names:
            with suppress(RpcError):  # at the next time
                self.supervisor.ipc(name)("miner_stop")
                self.supervisor.ipc(name)("miner_start")

    def take_back(self, name: str, number: int, blocks: int, now: float) -> None:
        """Drops a sealer's last blocks and starts it without sealing.

        If it sealed at once, its new block could weigh as much as the others' head, and nothing would be won.
        """
        goal = max(0, number - blocks)
        self.supervisor.say(f"no block for {self.quiet_s:.0f} s and heads differ: taking {name} back to block {goal}")
        ask = self.supervisor.ipc(name)
        with suppress(RpcError):  # the restart frees it as well, only later
            ask("miner_stop")
            ask("debug_setHead", hex(goal))
        self.supervisor.restart(name, sealing=False)
        self.resting[name] = (number, now + LONGEST_REST_S)

    def wake(self, answers: Mapping[str, Answer], now: float) -> None:
        """Lets a sealer that was taken back seal again, once it has the others' head."""
        for name, (number, deadline) in list(self.resting.items()):
            if name in answers and (answers[name][0].number >= number or now > deadline):
                with suppress(RpcError):  # it is asked again at the next look
                    self.supervisor.ipc(name)("miner_start")
                    del self.resting[name]

    def sealers_in_reach(self, name: str, peers: Iterable[str], signers: list[str]) -> int:
        """How many listed sealers this one is connected to, itself included."""
        addresses = known_sealers(self.network)
        own = {node.name: node.public_key for node in self.sealers}[name]
        return len({addresses[key] for key in {own, *peers} if addresses.get(key) in signers})

    def someone_listens(self, name: str, peers: Mapping[str, str]) -> bool:
        """Whether a known node that is not connected accepts connections."""
        others = [node for node in self.network.nodes if node.name != name and node.role is not Role.BOOTNODE]
        enodes = [node.enode(self.network.host) for node in others] + [peer.enode for peer in self.network.peers]
        missing = [enode for enode in enodes if public_key(enode) not in peers]
        return any(map(listens, missing))


def ask_node(ask: IpcNode) -> Answer | None:
    """A node's head, and its peers' heads by public key; None while it does not answer."""
    try:
        return head_of(ask), ask_peers(ask)
    except RpcError:
        return None


def tidy(ask: IpcNode) -> None:
    """Lets a node give free memory back: Go keeps what a late join or a busy minute took."""
    with suppress(RpcError):
        ask("debug_freeOSMemory")


def ask_peers(ask: IpcNode) -> dict[str, str]:
    """The heads of a node's peers by public key; those with whom it exchanges no blocks are left out."""
    peers = ask("admin_peers")
    return {public_key(peer["enode"]): peer_head(peer) for peer in peers if exchanges_blocks(peer)}


def exchanges_blocks(peer: dict[str, object]) -> bool:
    """Whether the handshake has shown the same chain."""
    protocols = peer.get("protocols")
    return isinstance(protocols, dict) and isinstance(protocols.get("eth"), dict)


def peer_head(peer: dict[str, object]) -> str:
    """The head that a peer announced, where this geth tells it."""
    protocols = peer.get("protocols")
    eth = protocols.get("eth") if isinstance(protocols, dict) else None
    return str(eth.get("head", "")) if isinstance(eth, dict) else ""


def public_key(enode: str) -> str:
    """The node's name in the peer-to-peer network."""
    return enode.removeprefix("enode://").partition("@")[0]


def known_sealers(network: Network) -> dict[str, str]:
    """Public keys of nodes to the addresses with which they seal."""
    ours = {node.public_key: node.address.lower() for node in network.nodes if node.address}
    return ours | {public_key(peer.enode): peer.address.lower() for peer in network.peers if peer.address}


def listens(enode: str) -> bool:
    """Whether a node accepts a connection now."""
    place = urlsplit(enode)
    try:
        with socket.create_connection((place.hostname, place.port), timeout=0.3):
            return True
    except OSError:
        return False
