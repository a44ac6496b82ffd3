"""The sub-command `proof` of `python -m contracts`: portable proofs, made with a node and checked without one."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contracts.chain import connect
from contracts.commands import run_folder
from contracts.deployment import load_deployments
from contracts.hexadecimal import data
from contracts.portable import NOT_PROVEN, Anchor, read_portable, says, sealers_of, verify_portable
from contracts.proof import ProvenSale
from contracts.proof_errors import AnswerError, Flaw
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


def anchor_of(checkpoint: str | None, sealers: Sequence[str] | None, deployments: Path | None) -> Anchor:
    """What whoever checks a proof knows, from a command line."""
    return Anchor(
        data(checkpoint.lower(), "the checkpoint's hash", 32) if checkpoint else None,
        sealers_of(sealers) if sealers else None,
        load_deployments(deployments) if deployments else None,
    )


def verify_file(file: Path, anchor: Anchor, *, as_json: bool) -> None:
    """Check a proof in a file and print what it proves.

    Raises:
        ProofError: it proves nothing to whoever knows the anchor.
    """
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AnswerError(Flaw.MALFORMED, f"{file} cannot be read: {error}") from error
    found = verify_portable(text, anchor)
    facts = _facts(found, read_portable(text).checkpoint.number)
    if as_json:
        print(json.dumps(facts | {"not_proven": NOT_PROVEN}))
    else:
        _show(facts, any_factory=anchor.deployments is None)


def write_out(text: str, out: Path | None) -> None:
    """Write a proof to a file, or to standard output."""
    if out:
        out.write_text(text, "utf-8")
    else:
        sys.stdout.write(text)


def _deployments() -> Path:
    return run_folder() / "contracts" / "deployments.json"


def _export(arguments: argparse.Namespace) -> int:
    text = export_proof(
        rpc_of(connect(arguments.rpc)),
        arguments.sale,
        load_deployments(arguments.deployments),
        SealRules(arguments.period, arguments.epoch),
        block=arguments.block,
        start=arguments.start,
    )
    write_out(text, arguments.out)
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    anchor = anchor_of(arguments.checkpoint, arguments.sealers, arguments.deployments)
    verify_file(arguments.file, anchor, as_json=arguments.json)
    return 0


def _facts(found: ProvenSale, start: int) -> dict[str, Any]:
    deployment = found.identity.deployment
    return {
        "sale": found.sale,
        **says(found),
        "sealed_at": found.row.base.timestamp,
        "depth": found.row.depth,
        "sealers": sorted(f"0x{sealer.hex()}" for sealer in found.row.known),
        "seller": found.terms.seller,
        "goods": found.terms.goods,
        "price_wei": found.terms.price_wei,
        "factory": deployment.factory,
        "implementation": deployment.implementation,
        "checkpoint": start,
    }


def _show(facts: dict[str, Any], *, any_factory: bool) -> None:
    print("proven:")
    for name, value in facts.items():
        print(f"  {name:15} {', '.join(value) if isinstance(value, list) else value}")
    if any_factory:
        print("believed: that this factory and this implementation are the ones you mean")
    print("not proven:", *(f"  {line}" for line in NOT_PROVEN), sep="\n")
