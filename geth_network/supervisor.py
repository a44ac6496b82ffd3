"""Runs the nodes of one machine: starts them, waits until all advance, keeps them alive, stops them in order."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from geth_network.child import Child, log_tail
from geth_network.diagnosis import Diagnosis, diagnose
from geth_network.errors import ChainError, NodeError, RpcError
from geth_network.folder import Folder, write_atomically
from geth_network.network import Network, Role, load_network
from geth_network.preparation import configure, renew
from geth_network.requests import take_requests
from geth_network.rpc import IpcNode, head_or_none
from geth_network.watchdog import LONGEST_DELAY_S, Restarts

TICK_S = 0.25
STOP_ORDER = (Role.RPC, Role.SEALER, Role.BOOTNODE)
Say = Callable[[str], None]


@dataclass
class Keeping:
    """What the supervisor knows of one node."""

    child: Child | None = None
    restarts: Restarts = field(default_factory=Restarts)
    start_at: float | None = None
    alarm: str | None = None

    def summary(self) -> dict[str, object]:
        """For state.json."""
        return {"pid": self.child.pid if self.child else None, "restarts": self.restarts.total, "alarm": self.alarm}


class Supervisor:
    """Owns the processes; everything happens in the thread that calls `run`, since children die with their thread."""

    def __init__(
        self,
        folder: Folder,
        network: Network,
        commands: dict[str, list[str]],
        *,
        say: Say,
        stopping: threading.Event,
        stop_timeout_s: float = 60,
        steady_s: float = 60,
    ) -> None:
        self.folder, self.network, self.commands, self.say = folder, network, commands, say
        self.stop_timeout_s = stop_timeout_s
        self.nodes = {name: Keeping(restarts=Restarts(steady_s)) for name in commands}
        self.stopping = stopping

    def start(self) -> None:
        """Starts every node, the bootnode first."""
        for name in self.nodes:
            self.launch(name)
        self.note()

    def launch(self, name: str, *, sealing: bool = True) -> None:
        """Starts one node; it reads anew who its peers are."""
        keeping = self.nodes[name]
        configure(self.folder, replace(self.network, peers=load_network(self.folder.network).peers))
        self.ipc(name).path.unlink(missing_ok=True)
        command = [part for part in self.commands[name] if sealing or part != "--mine"]
        keeping.child = Child(name, command, self.folder.log(name))
        keeping.start_at = None

    def restart(self, name: str, between: Callable[[], None] = lambda: None, *, sealing: bool = True) -> None:
        """Stops a node in order, does what is to be done meanwhile, and starts it."""
        keeping = self.nodes[name]
        if keeping.child:
            keeping.child.interrupt()
            keeping.child.wait(self.stop_timeout_s)
        between()
        keeping.restarts.total += 1
        self.try_launch(name, sealing=sealing)
        self.note()

    def try_launch(self, name: str, *, sealing: bool = True) -> bool:
        """Starts one node, or plans the next try: on a full disk not even its settings can be written."""
        keeping = self.nodes[name]
        try:
            self.launch(name, sealing=sealing)
        except OSError as fault:
            keeping.child, keeping.start_at = None, time.monotonic() + LONGEST_DELAY_S
            self.raise_alarm(name, f"{name} could not be started and is tried every {LONGEST_DELAY_S:.0f} s: {fault}")
            return False
        return True

    def resync(self, name: str) -> None:
        """Fetches a node's chain from the others."""
        self.say(f"{name} forgets its chain and fetches it from the others")
        keeping = self.nodes[name]
        keeping.restarts.failures, keeping.alarm = 0, None
        try:
            self.restart(name, lambda: renew(self.folder, self.network, name, self.commands[name][0]))
        except (ChainError, OSError) as fault:  # of one node, such as a full disk: the others go on
            keeping.child = keeping.start_at = None  # without our genesis it would begin a chain of its own
            self.raise_alarm(name, f"{name} could not be made anew and stays down: {fault}")
            self.note()

    def ipc(self, name: str) -> IpcNode:
        """A node's socket."""
        return IpcNode(self.folder.ipc(name), timeout_s=2)

    def chain_nodes(self) -> list[str]:
        """The nodes that hold the chain."""
        return [node.name for node in self.network.nodes if node.role is not Role.BOOTNODE and node.name in self.nodes]

    def await_ready(self, timeout_s: float, each_tick: Callable[[], None] = lambda: None) -> None:
        """Waits until every node's block number has advanced since it first answered."""
        deadline = time.monotonic() + timeout_s
        first: dict[str, int] = {}
        waiting = self.chain_nodes()
        while waiting and not self.stopping.wait(TICK_S):
            waiting = [name for name in waiting if not self.has_advanced(name, first)]
            self.refuse_dead()
            each_tick()
            if time.monotonic() > deadline:
                names = " ".join(waiting)
                raise NodeError(f"{names}: no new block after {timeout_s:.0f} s; {self.last_words(waiting)}")

    def has_advanced(self, name: str, first: dict[str, int]) -> bool:
        """Whether a node's head has moved; checks the genesis at the first answer."""
        head = head_or_none(self.ipc(name))
        if head is None:
            return False
        if name not in first:
            first[name] = head.number
            self.check_genesis(name)
        return head.number > first[name]

    def check_genesis(self, name: str) -> None:
        """Refuses a data folder in which another chain lies."""
        found = self.ipc(name)("eth_getBlockByNumber", "0x0", False)["hash"]
        if found != self.network.genesis_hash:
            raise NodeError(
                f"the data folder of {name} holds another chain (genesis {found[:18]}…): "
                f"run `lading-chain resync {name}`"
            )

    def refuse_dead(self) -> None:
        """While starting, a node that ends is a reason to give up at once."""
        dead = [kept.child for kept in self.nodes.values() if kept.child and kept.child.exit_status() is not None]
        if dead:
            why = "\n".join(self.epitaph(child) for child in dead)
            names = " ".join(child.name for child in dead)
            raise NodeError(f"{names} ended while starting:\n{why}\nlogs: {self.folder.path / 'logs'}")

    def epitaph(self, child: Child) -> str:
        """What ended a node: a full disk in our words, all else in its own and with our advice."""
        found = self.diagnose(child)
        advice = f"\n{found.advice}" if found else ""
        return found.advice if found and found.passes else f"{self.last_words([child.name])}{advice}"

    def last_words(self, names: Iterable[str]) -> str:
        """The ends of logs, for a message."""
        return "\n".join(f"{self.folder.log(name)} ends:\n{log_tail(self.folder.log(name))}" for name in names)

    def run(self, each_tick: Callable[[], None] = lambda: None) -> None:
        """Keeps the nodes alive until `stopping` is set."""
        while not self.stopping.wait(TICK_S):
            for name in self.nodes:
                self.tend(name)
            for name in take_requests(self.folder):
                self.resync(name)
            each_tick()

    def tend(self, name: str) -> None:
        """Starts a dead node again when its time has come."""
        keeping, now = self.nodes[name], time.monotonic()
        if keeping.start_at is not None and now >= keeping.start_at:
            if self.try_launch(name):
                self.say(f"{name} started again")
            self.note()
        if keeping.child and keeping.child.exit_status() is not None:
            self.mourn(name, keeping, keeping.child, now)
        elif keeping.child:
            keeping.child.trim_log()
            self.calm(name, keeping, now - keeping.child.started)

    def mourn(self, name: str, keeping: Keeping, child: Child, now: float) -> None:
        """Plans the next start of a node that died; the alarm, once that did not help often enough."""
        keeping.child = None
        delay = keeping.restarts.next_delay_s(now - child.started)
        if delay is None:
            delay = self.last_resort_s(keeping, child)
        if delay is not None:
            keeping.start_at = now + delay
            self.say(f"{name} ended with status {child.exit_status()}: starting it again in {delay:.0f} s")
        self.note()

    def last_resort_s(self, keeping: Keeping, child: Child) -> float | None:
        """Raises the alarm; how long to wait where another start may help nevertheless."""
        found = self.diagnose(child)
        passes = found is not None and found.passes
        then = f"is tried every {LONGEST_DELAY_S:.0f} s" if passes else "stays down"
        words = f"{child.name} failed {keeping.restarts.failures} times in a row and {then}"
        words += f": {found.advice}" if found else ""
        self.raise_alarm(child.name, words, f"; {self.last_words([child.name])}", again=not passes)
        keeping.restarts.total += passes
        return LONGEST_DELAY_S if passes else None

    def raise_alarm(self, name: str, words: str, more: str = "", *, again: bool = False) -> None:
        """Keeps it for state.json, and says it unless there is one already that says as much."""
        keeping = self.nodes[name]
        if again or keeping.alarm is None:
            self.say(f"ALARM: {words}{more}")
        keeping.alarm = words

    def calm(self, name: str, keeping: Keeping, lived_s: float) -> None:
        """Ends the alarm of a node that lives again, and long enough."""
        if keeping.alarm and lived_s >= keeping.restarts.steady_s:
            keeping.alarm = None
            self.say(f"{name} is well again")
            self.note()

    def diagnose(self, child: Child) -> Diagnosis | None:
        """Why a node ended, if its log or its disk tells."""
        return diagnose(child.name, self.folder.data(child.name), child.last_words(60))

    def note(self) -> None:
        """Writes state.json; on a full disk what was known stays."""
        summary = {name: keeping.summary() for name, keeping in self.nodes.items()}
        with contextlib.suppress(OSError):
            write_atomically(self.folder.state, json.dumps(summary, indent=2) + "\n")

    def stop(self) -> None:
        """Stops RPC nodes, then sealers, then the bootnode: one SIGINT each, and waits."""
        roles = {node.name: node.role for node in self.network.nodes}
        for role in STOP_ORDER:
            children = [k.child for name, k in self.nodes.items() if roles[name] is role and k.child]
            for child in children:
                child.interrupt()
            for child in children:
                if not child.wait(self.stop_timeout_s):
                    self.say(f"{child.name} did not stop within {self.stop_timeout_s:.0f} s and was killed")
        self.folder.state.unlink(missing_ok=True)

    def signers(self) -> list[str]:
        """The sealers that the chain now lists."""
        for name in self.chain_nodes():
            try:
                return list(self.ipc(name)("clique_getSigners"))
            except RpcError:
                continue
        return list(self.network.sealers)
