"""`lading-chain`: the private chain from a terminal."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from geth_network.errors import ChainError
from geth_network.folder import Folder, read_text, write_atomically
from geth_network.network import Kind, load_network
from geth_network.settings import Settings, lading_home

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
        folder, Settings(**chosen), kind=Kind(arguments.chain),
        alloc_wei=amounts.parse_alloc(arguments.alloc), allow_even=arguments.even,
    )  # fmt: skip
    say(f"made chain {network.chain_id} in {folder.path}; start it with `lading-chain up`")


def run_up(folder: Folder, arguments: argparse.Namespace) -> None:
    """`up`."""
    from geth_network import up

    up.run_network(folder, Settings(), say, frozenset(arguments.without))


def run_down(folder: Folder, _: argparse.Namespace) -> None:
    """`down`."""
    from geth_network import up

    up.stop_network(folder, Settings().stop_timeout_s * 3)
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
    logs = [str(folder.log(network.node(name).name)) for name in names]
    follow = ["-F"] if arguments.follow else []
    sys.exit(subprocess.run(["tail", "-n", str(arguments.lines), *follow, *logs], check=False).returncode)


def run_attach(folder: Folder, arguments: argparse.Namespace) -> None:
    """`attach`."""
    from geth_network.programs import find_program

    node = load_network(folder.network).node(arguments.node)
    geth = find_program("geth", Settings().geth)
    script = ["--exec", arguments.exec] if arguments.exec else []
    os.execv(geth, [str(geth), "attach", *script, str(folder.ipc(node.name))])  # noqa: S606  # becomes the console


def run_resync(folder: Folder, arguments: argparse.Namespace) -> None:
    """`resync`."""
    from geth_network import preparation, requests

    node = load_network(folder.network).node(arguments.node)
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
    say(f"wrote {arguments.file}, {size / 1e6:.1f} MB; it holds keys: keep it where only you can read it")


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
    card = members.join(folder, bundle, Settings(**chosen), arguments.name)
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


def add_place(command: argparse.ArgumentParser) -> None:
    """The options that `new` and `join` share: which nodes, and where they listen."""
    command.add_argument("--sealers", type=int, help="default 3")
    command.add_argument("--rpc-nodes", type=int, help="default 2")
    command.add_argument("--rpc-port", type=int, help="first JSON-RPC port, default 8545; 0: any")
    command.add_argument("--peer-port", type=int, help="first port for peers, default 30300; 0: any")
    command.add_argument("--host", help="address at which other members reach our nodes, default 127.0.0.1")
    command.add_argument("--allow", help="networks with which nodes may peer, default 127.0.0.0/8")


def add_new(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The options of `new`; what is not given comes from the settings."""
    new = commands.add_parser("new", help="make a chain: keys, genesis, treasury; starts nothing")
    new.set_defaults(run=run_new)
    new.add_argument("--chain", choices=[*Kind], default="geth", help="anvil, ganache: one light node for development")
    add_place(new)
    new.add_argument("--even", action="store_true", help="allow an even number of sealers")
    new.add_argument("--period", type=int, dest="period_s", help="seconds between blocks, default 1")
    new.add_argument("--epoch", type=int, help="default 1000")
    new.add_argument("--chain-id", type=int, help="default: drawn at random below 2^53")
    new.add_argument("--gas-limit", type=int, help="gas a block, default 30000000")
    new.add_argument("--alloc", action="append", default=[], metavar="ADDRESS=ETHER", help="for tests: fund at genesis")


def add_upkeep(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Backups and members."""
    again = commands.add_parser("resync", help="fetch a node's chain anew from the others; keys stay")
    again.set_defaults(run=run_resync)
    again.add_argument("node")
    for name, run, words in (
        ("backup", run_backup, "write chain data, accounts and keys of the stopped network to a file"),
        ("restore", run_restore, "unpack a backup into an unused run folder"),
    ):
        command = commands.add_parser(name, help=words)
        command.set_defaults(run=run)
        command.add_argument("file", type=Path)
    export = commands.add_parser("export", help="write the bundle with which another member joins")
    export.set_defaults(run=run_export)
    export.add_argument("file", type=Path)
    export.add_argument("--ca", type=Path, help="certificate of the consortium's CA, to go with it")
    join = commands.add_parser("join", help="make own nodes and keys for another member's chain")
    join.set_defaults(run=run_join)
    join.add_argument("bundle", type=Path)
    join.add_argument("--name", required=True, help="what your nodes are called")
    join.add_argument("--card", type=Path, required=True, help="where to write your card for the other members")
    add_place(join)
    add = commands.add_parser("add-member", help="let a member's nodes connect, vote for its sealers")
    add.set_defaults(run=run_add_member)
    add.add_argument("card", type=Path)
    remove = commands.add_parser("remove-member", help="vote a sealer out, refuse the member's nodes")
    remove.set_defaults(run=run_remove_member)
    remove.add_argument("member", help="a node's name or a sealer's address")


def build_parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    parser = argparse.ArgumentParser("lading-chain", description="Makes, runs and watches a private geth chain.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_new(commands)
    run = commands.add_parser("up", help="run the network in the foreground until Ctrl-C")
    run.set_defaults(run=run_up)
    run.add_argument("--without", action="append", default=[], metavar="NODE", help="leave this node down")
    commands.add_parser("down", help="stop the running network").set_defaults(run=run_down)
    state = commands.add_parser("status", help="a table of all nodes")
    state.set_defaults(run=run_status)
    state.add_argument("--json", action="store_true")
    logs = commands.add_parser("logs", help="the ends of the nodes' logs")
    logs.set_defaults(run=run_logs)
    logs.add_argument("node", nargs="*")
    logs.add_argument("-f", "--follow", action="store_true")
    logs.add_argument("-n", "--lines", type=int, default=20)
    attach = commands.add_parser("attach", help="geth's console on a node")
    attach.set_defaults(run=run_attach)
    attach.add_argument("node")
    attach.add_argument("--exec", help="a script instead of the console")
    add_upkeep(commands)
    pay = commands.add_parser("fund", help="pay an account from the treasury")
    pay.set_defaults(run=run_fund)
    pay.add_argument("address")
    pay.add_argument("ether")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command; exits 1 with the reason on stderr when it is refused."""
    arguments = build_parser().parse_args(argv)
    try:
        arguments.run(Folder(lading_home() / "chain"), arguments)
    except ChainError as refusal:
        print(f"lading-chain: {refusal}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
