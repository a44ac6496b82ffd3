"""The sub-commands of `python -m contracts` that speak to a chain."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from contracts import chain
from contracts.calls import send
from contracts.deployment import Deployment, deploy, load_deployments
from contracts.errors import AddressError, DeploymentError, KeystoreError, NodeUnreachable, OperatorAlreadyListed
from contracts.events import SiteOpened, decode_log
from contracts.registry import DeviceRegistry
from contracts.sale import Sale


def add_commands(commands: Any) -> None:
    """Add `deploy`, `operator`, `site` and `show` to the parser's commands."""
    command = commands.add_parser("deploy", help="deploy what is not there yet and note it in the list")
    _add_signer(command)
    command.set_defaults(run=_deploy)
    operator = commands.add_parser("operator", help="the registry's admin: who may open sites and provision devices")
    _add_operator(operator.add_subparsers(required=True, metavar="list|delist"))
    site = commands.add_parser("site", help="an operator: where goods are collected")
    _add_site(site.add_subparsers(required=True, metavar="open|close"))
    command = commands.add_parser("show", help="what a sale says")
    command.add_argument("address", help="the sale's address")
    _add_node(command)
    command.set_defaults(run=_show)


def _add_operator(commands: Any) -> None:
    command = commands.add_parser("list", help="admit an operator")
    command.add_argument("address")
    command.add_argument("--name", required=True, help="what sellers and buyers see")
    _add_signer(command)
    command.set_defaults(run=_list_operator)
    command = commands.add_parser("delist", help="nothing new by this operator; what runs goes on")
    command.add_argument("address")
    _add_signer(command)
    command.set_defaults(run=_delist_operator)


def _add_site(commands: Any) -> None:
    command = commands.add_parser("open", help="open a site; prints its id")
    command.add_argument("--name", required=True, help="what buyers see before they pay")
    _add_signer(command, treasury=False)
    command.set_defaults(run=_open_site)
    command = commands.add_parser("close", help="no new goods and no new device at a site")
    command.add_argument("id", type=int)
    _add_signer(command, treasury=False)
    command.set_defaults(run=_close_site)


def _add_node(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rpc", metavar="URL", help="a node of the chain (default: one of this run folder's)")
    command.add_argument("--json", action="store_true", help="for programs")


def _add_signer(command: argparse.ArgumentParser, treasury: bool = True) -> None:
    """Options of whoever signs; the registry's admin is the treasury unless another is named."""
    _add_node(command)
    default = run_folder() / "chain" / "treasury"
    keystore, password = (default / "keystore.json", default / "password") if treasury else (None, None)
    whose = " (default: this run folder's treasury)" if treasury else ""
    command.add_argument(
        "--keystore",
        type=Path,
        metavar="FILE",
        default=keystore,
        required=not treasury,
        help=f"the sender's keystore{whose}",
    )
    command.add_argument(
        "--password-file", type=Path, metavar="FILE", default=password, required=not treasury, help="its password"
    )
    command.add_argument(
        "--deployments", type=Path, metavar="FILE", default=run_folder() / "contracts" / "deployments.json"
    )


def run_folder() -> Path:
    """LADING_HOME, or `.lading` beside the checkout's files."""
    named = os.environ.get("LADING_HOME")
    return Path(named) if named else Path(__file__).resolve().parents[1] / ".lading"


def _deploy(arguments: argparse.Namespace) -> int:
    os.umask(0o077)  # folders 0700, their parents too
    deployment = deploy(_connect(arguments), _account(arguments), arguments.deployments)
    return _print(arguments, asdict(deployment))


def _list_operator(arguments: argparse.Namespace) -> int:
    w3, registry = _registry(arguments)
    try:
        send(w3, _account(arguments), registry.list_operator(_address(arguments.address), arguments.name))
    except OperatorAlreadyListed:
        return _print(arguments, {"operator": arguments.address, "listed": "before"})
    return _print(arguments, {"operator": arguments.address, "listed": "now"})


def _delist_operator(arguments: argparse.Namespace) -> int:
    w3, registry = _registry(arguments)
    send(w3, _account(arguments), registry.delist_operator(_address(arguments.address)))
    return _print(arguments, {"operator": arguments.address, "listed": "no more"})


def _open_site(arguments: argparse.Namespace) -> int:
    w3, registry = _registry(arguments)
    receipt = send(w3, _account(arguments), registry.open_site(arguments.name))
    opened = [event for log in receipt["logs"] if isinstance(event := decode_log(log), SiteOpened)]
    return _print(arguments, {"site": opened[0].site, "name": opened[0].name, "operator": opened[0].operator})


def _close_site(arguments: argparse.Namespace) -> int:
    w3, registry = _registry(arguments)
    send(w3, _account(arguments), registry.close_site(arguments.id))
    return _print(arguments, {"site": arguments.id, "open": False})


def _show(arguments: argparse.Namespace) -> int:
    w3 = _connect(arguments)
    block = chain.block_number(w3)
    sale = Sale.at(w3, _address(arguments.address))
    terms, state = sale.terms(block), sale.state(block)
    return _print(
        arguments, {"sale": sale.address, "block": block, **asdict(terms), **asdict(state), "status": state.status.name}
    )


def _registry(arguments: argparse.Namespace) -> tuple[Web3, DeviceRegistry]:
    w3 = _connect(arguments)
    return w3, DeviceRegistry.at(w3, _latest(w3, load_deployments(arguments.deployments)).registry)


def _latest(w3: Web3, deployments: tuple[Deployment, ...]) -> Deployment:
    with chain.asking():
        chain_id = w3.eth.chain_id
    here = [one for one in deployments if one.chain_id == chain_id]
    if not here:
        raise DeploymentError(f"nothing is deployed on chain {chain_id}: run `python -m contracts deploy` first")
    return here[-1]


def _connect(arguments: argparse.Namespace) -> Web3:
    return chain.connect(arguments.rpc or _own_node())


def _own_node() -> str:
    ready = run_folder() / "chain" / "ready.json"
    try:
        return str(json.loads(ready.read_text("utf-8"))["rpc"][0])
    except PermissionError:
        raise
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise NodeUnreachable(
            f"no chain serves in {ready.parent}: start it with `lading-chain up`, or say --rpc URL"
        ) from error


def _account(arguments: argparse.Namespace) -> LocalAccount:
    try:
        keystore = json.loads(arguments.keystore.read_text("utf-8"))
        if arguments.password_file.stat().st_mode & 0o077:
            raise KeystoreError(f"{arguments.password_file} can be read by others: chmod 600 {arguments.password_file}")
        password = arguments.password_file.read_text("utf-8").rstrip("\r\n")
        account: LocalAccount = Account.from_key(Account.decrypt(keystore, password))
    except OSError as error:
        raise KeystoreError(f"{error.filename}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise KeystoreError(f"{arguments.keystore} is no keystore, or its password is another") from error
    return account


def _address(text: str) -> str:
    try:
        return Web3.to_checksum_address(text)
    except ValueError as error:
        raise AddressError(f"{text!r} is no address") from error


def _print(arguments: argparse.Namespace, values: dict[str, Any]) -> int:
    width = max(len(name) for name in values)
    lines = (f"{name:<{width}}  {value}" for name, value in values.items())
    print(json.dumps(values) if arguments.json else "\n".join(lines))
    return 0
