"""`lading-chain up`: the network in the foreground, until a signal; `down` sends that signal."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from eth_utils.address import to_checksum_address

from geth_network.errors import RunningError
from geth_network.folder import Folder, write_atomically
from geth_network.health import look
from geth_network.monitor import monitored
from geth_network.network import Kind, Network, load_network
from geth_network.patrol import Patrol
from geth_network.ports import choose_ports
from geth_network.preparation import prepare_nodes
from geth_network.ready import ready_document
from geth_network.settings import Settings
from geth_network.signals import Stop
from geth_network.standin import run_standin
from geth_network.supervisor import Say, Supervisor


def run_network(folder: Folder, settings: Settings, say: Say, without: frozenset[str] = frozenset()) -> None:
    """Starts the network, says when it serves, and stops it on SIGINT or SIGTERM."""
    configured = load_network(folder.network)
    stopping = Stop()
    looks = monitored(settings.monitor, lambda: look(folder, configured.period_s))
    with signals_stop(stopping), folder.held(), looks:
        folder.ready.unlink(missing_ok=True)
        try:
            if configured.kind is Kind.GETH:
                run_geth(folder, choose_ports(configured), settings, say, stopping, without=without)
            else:
                run_standin(folder, choose_ports(configured), settings, say, stopping)
        finally:
            folder.ready.unlink(missing_ok=True)


def run_geth(
    folder: Folder,
    network: Network,
    settings: Settings,
    say: Say,
    stopping: threading.Event,
    *,
    without: frozenset[str],
) -> None:
    """Runs the nodes until `stopping` is set."""
    for name in without:
        network.node(name)
    commands = prepare_nodes(folder, network, settings)
    commands = {name: command for name, command in commands.items() if name not in without}
    supervisor = Supervisor(
        folder, network, commands, say=say, stopping=stopping,
        stop_timeout_s=settings.stop_timeout_s, steady_s=settings.steady_s,
    )  # fmt: skip
    patrol = Patrol(supervisor, settings.quiet_s)
    try:
        say(f"starting {len(commands)} nodes")
        supervisor.start()
        supervisor.await_ready(settings.start_timeout_s, patrol)
        if not stopping.is_set():
            announce(folder, supervisor, say)
            supervisor.run(patrol)
    finally:
        say("stopping")
        folder.ready.unlink(missing_ok=True)
        supervisor.stop()


@contextmanager
def signals_stop(stopping: Stop) -> Iterator[None]:
    """From here on SIGINT and SIGTERM end the wait instead of the process.

    After a good end they are ignored: the process exits with status 0, and further signals must not alter it.
    """
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except BaseException:
        for number, handler in before.items():
            signal.signal(number, handler)
        raise
    for number in before:
        signal.signal(number, signal.SIG_IGN)


def announce(folder: Folder, supervisor: Supervisor, say: Say) -> None:
    """Writes ready.json and says where the nodes are."""
    signers = [str(to_checksum_address(address)) for address in supervisor.signers()]
    document = ready_document(supervisor.network, signers, os.getpid())
    write_atomically(folder.ready, json.dumps(document, indent=2) + "\n")
    urls = " ".join(document["rpc"]) or "none here"  # type: ignore[arg-type]
    say(f"chain {document['chain_id']} is up: every node advances. JSON-RPC: {urls}")


def stop_network(folder: Folder, timeout_s: float) -> None:
    """Asks the running `up` to stop, and waits until it has."""
    pid = folder.holder()
    if pid is None:
        raise RunningError(f"no chain is running in {folder.path}")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while folder.holder() == pid:
        if time.monotonic() > deadline:
            raise RunningError(f"process {pid} has not stopped after {timeout_s:.0f} s: see {folder.path / 'logs'}")
        time.sleep(0.1)
