"""`lading-chain`: the private chain from a terminal."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from geth_network import commands
from geth_network.errors import ChainError
from geth_network.folder import Folder
from geth_network.network import Kind
from geth_network.run_folder import run_folder


def add_place(command: argparse.ArgumentParser) -> None:
    """The options that `new` and `join` share: which nodes, and where they listen."""
    command.add_argument("--sealers", type=int, help="default 3")
    command.add_argument("--rpc-nodes", type=int, help="default 2")
    command.add_argument("--rpc-port", type=int, help="first JSON-RPC port, default 8545; 0: any")
    command.add_argument("--peer-port", type=int, help="first port for peers, default 30300; 0: any")
    command.add_argument("--host", help="address at which other members reach our nodes, default 127.0.0.1")
    command.add_argument("--allow", help="networks with which nodes may peer, default 127.0.0.0/8")


def add_new(group: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The options of `new`; what is not given comes from the settings."""
    new = group.add_parser("new", help="make a chain: keys, genesis, treasury; starts nothing")
    new.set_defaults(run=commands.run_new)
    new.add_argument("--chain", choices=[*Kind], default="geth", help="anvil, ganache: one light node for development")
    add_place(new)
    new.add_argument("--even", action="store_true", help="allow an even number of sealers")
    new.add_argument("--period", type=int, dest="period_s", help="seconds between blocks, default 1")
    new.add_argument("--epoch", type=int, help="default 1000")
    new.add_argument("--chain-id", type=int, help="default: drawn at random below 2^53")
    new.add_argument("--gas-limit", type=int, help="gas a block, default 30000000")
    new.add_argument("--alloc", action="append", default=[], metavar="ADDRESS=ETHER", help="for tests: fund at genesis")


def add_upkeep(group: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Backups and members."""
    again = group.add_parser("resync", help="fetch a node's chain anew from the others; keys stay")
    again.set_defaults(run=commands.run_resync)
    again.add_argument("node")
    for name, run, words in (
        ("backup", commands.run_backup, "write chain data, accounts and keys of the stopped network to a file"),
        ("restore", commands.run_restore, "unpack a backup into an unused run folder"),
    ):
        command = group.add_parser(name, help=words)
        command.set_defaults(run=run)
        command.add_argument("file", type=Path)
    export = group.add_parser("export", help="write the bundle with which another member joins")
    export.set_defaults(run=commands.run_export)
    export.add_argument("file", type=Path)
    export.add_argument("--ca", type=Path, help="certificate of the consortium's CA, to go with it")
    join = group.add_parser("join", help="make own nodes and keys for another member's chain")
    join.set_defaults(run=commands.run_join)
    join.add_argument("bundle", type=Path)
    join.add_argument("--name", required=True, help="what your nodes are called")
    join.add_argument("--card", type=Path, required=True, help="where to write your card for the other members")
    add_place(join)
    add = group.add_parser("add-member", help="let a member's nodes connect, vote for its sealers")
    add.set_defaults(run=commands.run_add_member)
    add.add_argument("card", type=Path)
    remove = group.add_parser("remove-member", help="vote a sealer out, refuse the member's nodes")
    remove.set_defaults(run=commands.run_remove_member)
    remove.add_argument("member", help="a node's name or a sealer's address")


def build_parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    parser = argparse.ArgumentParser("lading-chain", description="Makes, runs and watches a private geth chain.")
    group = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_new(group)
    run = group.add_parser("up", help="run the network in the foreground until Ctrl-C")
    run.set_defaults(run=commands.run_up)
    run.add_argument("--without", action="append", default=[], metavar="NODE", help="leave this node down")
    group.add_parser("down", help="stop the running network").set_defaults(run=commands.run_down)
    state = group.add_parser("status", help="a table of all nodes")
    state.set_defaults(run=commands.run_status)
    state.add_argument("--json", action="store_true")
    logs = group.add_parser("logs", help="the ends of the nodes' logs")
    logs.set_defaults(run=commands.run_logs)
    logs.add_argument("node", nargs="*")
    logs.add_argument("-f", "--follow", action="store_true")
    logs.add_argument("-n", "--lines", type=int, default=20)
    attach = group.add_parser("attach", help="geth's console on a node")
    attach.set_defaults(run=commands.run_attach)
    attach.add_argument("node")
    attach.add_argument("--exec", help="a script instead of the console")
    add_upkeep(group)
    pay = group.add_parser("fund", help="pay an account from the treasury")
    pay.set_defaults(run=commands.run_fund)
    pay.add_argument("address")
    pay.add_argument("ether")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command; exits 1 with the reason on stderr when it is refused."""
    os.umask(0o077)  # folders 0700, files 0600, also those that the nodes make
    arguments = build_parser().parse_args(argv)
    try:
        arguments.run(Folder(run_folder() / "chain"), arguments)
    except ChainError as refusal:
        print(f"lading-chain: {refusal}", file=sys.stderr)
        sys.exit(1)
    except OSError as fault:  # a full disk, a folder that is not ours
        print(f"lading-chain: {fault.filename or 'the system'}: {fault.strerror or fault}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
