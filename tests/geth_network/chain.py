"""A real network in a run folder of its own, driven as a person drives it."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from geth_network.__main__ import main
from geth_network.create import create_network
from geth_network.folder import Folder
from geth_network.network import Network, Role, load_network
from geth_network.rpc import Ask, Head, HttpNode, IpcNode, head_or_none
from geth_network.settings import Settings

PATIENCE_S = 90


def await_that(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Waits until a condition holds, and returns what it returned."""
    deadline = time.monotonic() + patience_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {patience_s} s: {what}"
        time.sleep(0.1)
    return answer


class Chain:
    """One run folder with its network."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = Folder(home / "chain")
        self.process: subprocess.Popen[str] | None = None

    def new(self, **options: Any) -> Network:
        """Makes the network with any free ports."""
        more = {key: options.pop(key) for key in ("kind", "alloc_wei", "allow_even") if key in options}
        return create_network(self.folder, Settings(**{"rpc_port": 0, "peer_port": 0, **options}), **more)

    def run(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Runs one command to its end, in this process where it can: that saves a start of Python."""
        if arguments[0] in {"attach", "logs", "up"}:
            line = command(*arguments)
            done = subprocess.run(
                line, env=self.environment(), capture_output=True, text=True, timeout=180, check=False
            )
        else:
            done = self.run_here(*arguments)
        assert not check or done.returncode == 0, done.stderr
        return done

    def run_here(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs one command in this process."""
        out, err, status = io.StringIO(), io.StringIO(), 0
        with patch.dict(os.environ, self.environment()), redirect_stdout(out), redirect_stderr(err):
            try:
                main(arguments)
            except SystemExit as end:
                status = int(end.code or 0)
        return subprocess.CompletedProcess(list(arguments), status, out.getvalue(), err.getvalue())

    def environment(self) -> dict[str, str]:
        """The caller's environment with this run folder."""
        return {**os.environ, "LADING_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}

    def start(self, *arguments: str, prefix: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
        """Starts the network; whoever calls this ends it."""
        with (self.home / "up.log").open("a") as log:
            self.process = subprocess.Popen(
                [*prefix, *command("up", *arguments)], env=self.environment(), stdout=log, stderr=log, text=True
            )
        return self.process

    @contextmanager
    def up(self, *arguments: str, prefix: tuple[str, ...] = (), wait: bool = True) -> Iterator["Chain"]:
        """Runs the network until the block ends, and sees it end well."""
        process = self.start(*arguments, prefix=prefix)
        try:
            if wait:
                self.await_ready()
            yield self
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(150)
            self.process = None
        assert status == 0, self.words()

    def await_ready(self) -> dict[str, Any]:
        """Waits for ready.json; fails with the supervisor's words when it ended instead."""

        def ready() -> bool:
            assert self.process is None or self.process.poll() is None, self.words()
            return self.folder.ready.exists()

        await_that(ready, f"ready.json; {self.words()}", 200)
        return self.folder.read_ready()

    def words(self) -> str:
        """What the supervisor has said."""
        log = self.home / "up.log"
        return log.read_text() if log.exists() else ""

    def network(self) -> Network:
        """The network's description."""
        return load_network(self.folder.network)

    def names(self, *roles: Role) -> list[str]:
        """The nodes that hold the chain, or those of the roles."""
        wanted = roles or (Role.SEALER, Role.RPC)
        return [node.name for node in self.network().nodes if node.role in wanted]

    def ask(self, name: str) -> IpcNode:
        """A node by its socket."""
        return IpcNode(self.folder.ipc(name), timeout_s=5)

    def rpc(self, index: int = 0) -> Ask:
        """An RPC node by its port."""
        return HttpNode(self.folder.read_ready()["rpc"][index])

    def head(self, name: str) -> Head | None:
        """A node's head, or None while it does not answer."""
        return head_or_none(self.ask(name))

    def number(self, name: str) -> int:
        """A node's block number; -1 while it does not answer."""
        head = self.head(name)
        return head.number if head else -1

    def block_hash(self, name: str, number: int) -> str | None:
        """The hash of a block on a node, or None where the node has no such block."""
        block = self.ask(name)("eth_getBlockByNumber", hex(number), False)
        return block["hash"] if block else None

    def pid(self, name: str) -> int | None:
        """A node's process now."""
        return json.loads(self.folder.state.read_text())[name]["pid"]

    def kill(self, *names: str) -> None:
        """Ends nodes as a power cut does."""
        for pid in [self.pid(name) for name in names]:
            if pid:
                os.kill(pid, signal.SIGKILL)

    def await_number(self, number: int, *names: str) -> None:
        """Waits until the nodes have a block of this number."""
        for name in names or self.names():
            await_that(
                lambda name=name: self.number(name) >= number, f"{name} at block {number}; {self.words()[-2000:]}"
            )

    def await_progress(self, *names: str, blocks: int = 2) -> int:
        """Waits until every node has gone some blocks beyond the highest head; returns that."""
        goal = max(self.number(name) for name in names or self.names()) + blocks
        self.await_number(goal, *names)
        return goal

    def await_agreement(self, number: int, *names: str) -> str:
        """Waits until all nodes hold the same block at this height."""

        def agree() -> bool:
            return len({self.block_hash(name, number) for name in names or self.names()}) == 1

        self.await_number(number, *names)
        await_that(agree, f"one block {number} on all nodes")
        return str(self.block_hash((names or self.names())[0], number))


def standing_still(chain: Chain, name: str, seconds: float = 4) -> int:
    """The block number if it has not changed for some seconds, else 0."""
    number = chain.number(name)
    moved = threading.Event()
    for _ in range(round(seconds / 0.5)):
        moved.wait(0.5)
        if chain.number(name) != number:
            return 0
    return number


def left_behind(home: Path) -> list[str]:
    """What a stopped or refused network should not leave: processes of its folder, files that say it runs."""
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    files = [*home.glob("chain/ready.json"), *home.glob("chain/state.json")]
    return [line for line in lines if f"{home}/" in line] + [str(path) for path in files]


def command(*arguments: str) -> list[str]:
    """The command line; in a test it dies with its parent."""
    return ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", "geth_network", *arguments]
