"""What each command of `lading-chain` does with its options; heavy imports wait until they are needed."""

import argparse
import os
import subprocess
import sys

from geth_network.errors import FolderError, RunningError
from geth_network.folder import Folder, read_text, write_atomically
from geth_network.network import Kind, load_network
from geth_network.settings import read_settings

CHOSEN_AT_NEW = (
    "sealers", "rpc_nodes", "period_s", "epoch", "chain_id", "gas_limit", "rpc_port", "peer_port", "host", "allow",
)  # fmt: skip
CHOSEN_AT_JOIN = ("sealers", "rpc_nodes", "rpc_port", "peer_port", "host", "allow")


def say(words: str) -> None:
    """One line for the person at the terminal, at once."""
    print(f"lading-chain: {words}", flush=True)


def run_new(folder: Folder, arguments: argparse.Namespace) -> None:
    """`new`."""
    from geth_network import amounts, create

    chosen = {key: getattr(arguments, key) for key in CHOSEN_AT_NEW if getattr(arguments, key) is not None}
    network = create.create_network(
        folder, read_settings(**chosen), kind=Kind(arguments.chain),
        alloc_wei=amounts.parse_alloc(arguments.alloc), allow_even=arguments.even,
    )  # fmt: skip
    say(f"made chain {network.chain_id} in {folder.path}; start it with `lading-chain up`")


def run_up(folder: Folder, arguments: argparse.Namespace) -> None:
    """`up`."""
    from geth_network import up

    up.run_network(folder, read_settings(), say, frozenset(arguments.without))


def run_down(folder: Folder, _: argparse.Namespace) -> None:
    """`down`."""
    from geth_network import up

    up.stop_network(folder, read_settings().stop_timeout_s * 3)
    say("stopped")


def run_status(folder: Folder, arguments: argparse.Namespace) -> None:
    """`status`."""
    from geth_network import status

    lines = status.read_status(folder)
    if arguments.json:
        print(status.as_json(lines))
    else:
        status.print_table(lines)


def run_fund(folder: Folder, arguments: argparse.Namespace) -> None:
    """`fund`."""
    from geth_network import amounts, fund

    address, wei = amounts.parse_address(arguments.address), amounts.parse_ether(arguments.ether)
    paid = fund.fund(folder, address, wei)
    say(f"paid {arguments.ether} ether in {paid.transaction}, block {paid.block}; balance {paid.balance_wei} wei")


def run_logs(folder: Folder, arguments: argparse.Namespace) -> None:
    """`logs`."""
    network = load_network(folder.network)
    names = arguments.node or [node.name for node in network.nodes]
    logs = [str(path) for path in (folder.log(network.node(name).name) for name in names) if path.exists()]
    if not logs:
        raise RunningError("there is no log yet: start the network with `lading-chain up`")
    follow = ["-F"] if arguments.follow else []
    sys.exit(subprocess.run(["tail", "-n", str(arguments.lines), *follow, *logs], check=False).returncode)


def run_attach(folder: Folder, arguments: argparse.Namespace) -> None:
    """`attach`."""
    from geth_network.programs import find_program

    network = load_network(folder.network)
    node = network.node_with_chain(arguments.node)
    place = str(folder.ipc(node.name)) if network.kind is Kind.GETH else folder.read_ready()["rpc"][0]
    if network.kind is Kind.GETH and not folder.ipc(node.name).exists():
        raise RunningError(f"{node.name} does not run: look at `lading-chain status`, start it with `lading-chain up`")
    geth = find_program("geth", read_settings().geth)
    script = ["--exec", arguments.exec] if arguments.exec else []
    os.execv(geth, [str(geth), "attach", *script, place])  # noqa: S606  # becomes the console


def run_resync(folder: Folder, arguments: argparse.Namespace) -> None:
    """`resync`."""
    from geth_network import preparation, requests

    network = load_network(folder.network)
    node = network.node_with_chain(arguments.node)
    if network.kind is not Kind.GETH:
        raise FolderError(f"{network.kind} keeps nothing after `down`, so there is nothing to fetch anew")
    if folder.holder():
        requests.ask_resync(folder, node.name)
        say(f"asked the running network to fetch the chain of {node.name} anew; watch it with `lading-chain status`")
    else:
        preparation.forget_chain(folder, node.name)
        say(f"{node.name} has forgotten its chain and will fetch it at the next `lading-chain up`")


def run_backup(folder: Folder, arguments: argparse.Namespace) -> None:
    """`backup`."""
    from geth_network import backup

    size = backup.back_up(folder, arguments.file)
    say(f"wrote {arguments.file}, {size / 1e3:,.0f} kB; it holds keys: keep it where only you can read it")


def run_restore(folder: Folder, arguments: argparse.Namespace) -> None:
    """`restore`."""
    from geth_network import backup

    backup.restore(folder, arguments.file)
    say(f"restored chain {load_network(folder.network).chain_id} into {folder.path}")


def run_export(folder: Folder, arguments: argparse.Namespace) -> None:
    """`export`."""
    from geth_network import members

    bundle = members.export(folder, read_text(arguments.ca) if arguments.ca else None)
    write_atomically(arguments.file, bundle.to_json())
    say(f"wrote {arguments.file}; whoever has it can run `lading-chain join`, and needs your `add-member` to connect")


def run_join(folder: Folder, arguments: argparse.Namespace) -> None:
    """`join`."""
    from geth_network import cards, members

    chosen = {key: getattr(arguments, key) for key in CHOSEN_AT_JOIN if getattr(arguments, key) is not None}
    bundle = cards.Bundle.from_json(read_text(arguments.bundle))
    card = members.join(folder, bundle, read_settings(**chosen), arguments.name)
    write_atomically(arguments.card, card.to_json())
    say(f"joined chain {card.chain_id}; give {arguments.card} to the other members for their `add-member`")


def run_add_member(folder: Folder, arguments: argparse.Namespace) -> None:
    """`add-member`."""
    from geth_network import cards, members

    members.add_member(folder, cards.Card.from_json(read_text(arguments.card)), say)


def run_remove_member(folder: Folder, arguments: argparse.Namespace) -> None:
    """`remove-member`."""
    from geth_network import members

    members.remove_member(folder, arguments.member, say)
