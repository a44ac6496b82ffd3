"""The sub-command `proof` of `python -m contracts`: portable proofs, made with a node and checked without one."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from contracts.chain import connect
from contracts.deployment import load_deployments
from contracts.hexadecimal import data
from contracts.portable import NOT_PROVEN, Anchor, read_portable, says, sealers_of, verify_portable
from contracts.proof import ProvenSale
from contracts.proof_export import export_proof
from contracts.rpc import rpc_of
from contracts.seals import SealRules


def add_proof_commands(commands: Any) -> None:
    """Add `proof export` and `proof verify` to the parser's commands."""
    proof = commands.add_parser("proof", help="proofs of a sale's state that travel as a file")
    parts = proof.add_subparsers(required=True, metavar="export|verify")
    _add_export(parts.add_parser("export", help="ask a node and write a proof"))
    _add_verify(parts.add_parser("verify", help="check a proof; needs no node and no network"))


def _add_export(command: argparse.ArgumentParser) -> None:
    command.add_argument("sale", help="its address")
    command.add_argument("--rpc", required=True, metavar="URL", help="a node that has the state of that block")
    command.add_argument("--block", type=int, help="whose state; default: the newest that is deep enough")
    command.add_argument(
        "--start", type=int, metavar="NUMBER", help="the epoch block known to whoever checks it; 0: the genesis"
    )
    command.add_argument("--period", type=int, default=1, help="the chain's, in seconds; default 1")
    command.add_argument("--epoch", type=int, default=1_000, help="the chain's, in blocks; default 1000")
    command.add_argument("--deployments", type=Path, metavar="FILE", default=_deployments())
    command.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    command.set_defaults(run=_export)


def _add_verify(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path)
    known = command.add_mutually_exclusive_group(required=True)
    known.add_argument("--checkpoint", metavar="HASH", help="of the epoch block at which the proof starts")
    known.add_argument("--sealers", nargs="+", metavar="ADDRESS", help="whom this block lists")
    command.add_argument("--deployments", type=Path, metavar="FILE", help="whose sales count; default: any factory's")
    command.add_argument("--json", action="store_true", help="for programs")
    command.set_defaults(run=_verify)


def _deployments() -> Path:
    return Path(os.environ.get("LADING_HOME", ".lading")) / "contracts" / "deployments.json"


def _export(arguments: argparse.Namespace) -> int:
    text = export_proof(
        rpc_of(connect(arguments.rpc)),
        arguments.sale,
        load_deployments(arguments.deployments),
        SealRules(arguments.period, arguments.epoch),
        block=arguments.block,
        start=arguments.start,
    )
    if arguments.out:
        arguments.out.write_text(text, "utf-8")
    else:
        sys.stdout.write(text)
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    anchor = Anchor(
        data(arguments.checkpoint.lower(), "the checkpoint's hash", 32) if arguments.checkpoint else None,
        sealers_of(arguments.sealers) if arguments.sealers else None,
        load_deployments(arguments.deployments) if arguments.deployments else None,
    )
    try:
        text = arguments.file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        print(f"contracts: {arguments.file} cannot be read: {error}", file=sys.stderr)
        return 1
    found = verify_portable(text, anchor)
    _show(arguments, found, read_portable(text).checkpoint.number)
    return 0


def _show(arguments: argparse.Namespace, found: ProvenSale, start: int) -> None:
    deployment = found.identity.deployment
    facts = {
        "sale": found.sale,
        **says(found),
        "sealed_at": found.row.base.timestamp,
        "depth": found.row.depth,
        "sealers": sorted(f"0x{sealer.hex()}" for sealer in found.row.known),
        "seller": found.terms.seller,
        "goods": f"{found.terms.make} {found.terms.model} {found.terms.year} {found.terms.number}".strip(),
        "price_wei": found.terms.price_wei,
        "factory": deployment.factory,
        "implementation": deployment.implementation,
        "checkpoint": start,
    }
    if arguments.json:
        print(json.dumps(facts | {"not_proven": NOT_PROVEN}))
        return
    print("proven:")
    for name, value in facts.items():
        print(f"  {name:15} {', '.join(value) if isinstance(value, list) else value}")
    if arguments.deployments is None:
        print("believed: that this factory and this implementation are the ones you mean")
    print("not proven:", *(f"  {line}" for line in NOT_PROVEN), sep="\n")
