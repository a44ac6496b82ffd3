"""A proof that travels: one JSON file that shows, offline and years later, what a sale's state was. Pure.

`docs/proof.md` describes the format. Whoever checks it must know one thing beforehand: the hash of the checkpoint
that the file names, or the sealers that this block lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_hash.auto import keccak
from eth_utils.address import is_checksum_address, to_checksum_address

from contracts.answer import Answer
from contracts.answer import nodes as read_nodes
from contracts.deployment import Deployment, parse_deployments
from contracts.epochs import Checkpoint, walk
from contracts.fault import DeploymentError
from contracts.headers import HEADER_MAX, Header
from contracts.hexadecimal import data, to_hex
from contracts.proof import ProvenSale, Trust, prove_state
from contracts.proof_errors import AnswerError, CheckpointError, Flaw
from contracts.sale_state import SaleState
from contracts.seals import SealRules

FORMAT: Final = "lading-proof"
VERSION: Final = 1
FILE_MAX: Final = 32 << 20
NOT_PROVEN: Final = (
    "that no other, deeper chain of the same sealers exists",
    "anything after the proven block: the sale may have moved on",
    "that a majority of the sealers was honest and kept its keys",
)

_KEYS: Final = frozenset(
    {"format", "version", "chain", "deployment", "sale", "checkpoint", "walk", "headers"}
    | {"account_proof", "storage_proof", "code", "says", "digest"}
)


@dataclass(frozen=True, slots=True)
class Portable:
    """A proof in a file: where it starts, the way to the sealers of its time, and the answer."""

    rules: SealRules
    deployment: Deployment
    checkpoint: Header
    walk: tuple[tuple[Header, ...], ...]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Anchor:
    """What whoever checks a proof knows beforehand: a checkpoint's hash, or the sealers; and whose sales count."""

    checkpoint: bytes | None = None
    sealers: frozenset[bytes] | None = None
    deployments: tuple[Deployment, ...] | None = None


def write_portable(proof: Portable) -> str:
    """The file's text.

    Raises:
        ProofError: it would prove nothing.
    """
    deployment, answer = proof.deployment, proof.answer
    found = prove_portable(proof)
    body = {
        "format": FORMAT,
        "version": VERSION,
        "chain": {"chain_id": deployment.chain_id, "period_s": proof.rules.period_s, "epoch": proof.rules.epoch},
        "deployment": {
            "factory": deployment.factory,
            "implementation": deployment.implementation,
            "registry": deployment.registry,
            "kind": deployment.kind,
        },
        "sale": found.sale,
        "says": says(found),
        "checkpoint": to_hex(proof.checkpoint.rlp),
        "walk": [[to_hex(header.rlp) for header in row] for row in proof.walk],
        "headers": [to_hex(header.rlp) for header in answer.headers],
        "account_proof": [to_hex(node) for node in answer.account_nodes],
        "storage_proof": [to_hex(node) for node in answer.slot_nodes],
        "code": to_hex(answer.code),
    }
    return json.dumps(body | {"digest": _digest(body)}, indent=1) + "\n"


def read_portable(text: str) -> Portable:
    """The proof in a file's text, undamaged but not yet believed.

    Raises:
        AnswerError: it is no such file, of another version, or damaged.
    """
    found = _document(text)
    chain = found["chain"]
    try:
        rules = SealRules(_positive(chain["period_s"], 0), _positive(chain["epoch"], 1))
        (deployment,) = parse_deployments([{"chain_id": chain["chain_id"], **found["deployment"]}])
        rows = tuple(_headers(row) for row in _list(found["walk"]))
        headers = _headers(found["headers"])
    except (KeyError, TypeError, DeploymentError) as error:
        raise AnswerError(Flaw.MALFORMED, f"the proof is damaged: {error}") from error
    answer = Answer(
        sale=_address(found["sale"]),
        headers=headers,
        account_nodes=read_nodes(found["account_proof"], "account_proof"),
        slot_nodes=read_nodes(found["storage_proof"], "storage_proof"),
        code=data(found["code"], "code"),
    )
    return Portable(rules, deployment, _header(found["checkpoint"]), rows, answer)


def prove_portable(proof: Portable) -> ProvenSale:
    """What the proof proves to whoever believes its checkpoint and its deployment.

    Raises:
        ProofError: nothing.
    """
    last = walk(Checkpoint.of(proof.checkpoint), proof.walk, proof.rules)
    return prove_state(Trust((proof.deployment,), proof.rules), last, proof.answer, 2 * len(last.sealers))


def verify_portable(text: str, anchor: Anchor) -> ProvenSale:
    """What the file proves to whoever knows the anchor.

    Raises:
        ProofError: nothing.
    """
    proof = read_portable(text)
    _check_anchor(proof, anchor)
    found = prove_portable(proof)
    if json.loads(text)["says"] != says(found):
        raise AnswerError(Flaw.MALFORMED, "the file says something else than it proves")
    return found


def says(found: ProvenSale) -> dict[str, Any]:
    """A proven state in words that a person can read."""
    state: SaleState = found.state
    return {
        "block": found.block,
        "status": state.status.name.capitalize(),
        "buyer": state.buyer,
        "attempt": state.attempt,
        "refundable_at": state.refundable_at,
        "device": state.device,
    }


def sealers_of(addresses: Iterable[str]) -> frozenset[bytes]:
    """An anchor's sealers from their addresses."""
    return frozenset(data(address.lower(), "a sealer's address", 20) for address in addresses)


def _check_anchor(proof: Portable, anchor: Anchor) -> None:
    checkpoint = Checkpoint.of(proof.checkpoint)
    if anchor.checkpoint is None and anchor.sealers is None:
        raise CheckpointError(Flaw.OTHER_CHAIN, "a checkpoint's hash or the sealers must be known beforehand")
    if anchor.checkpoint not in (None, checkpoint.hash):
        raise CheckpointError(
            Flaw.OTHER_CHAIN, f"the proof starts at checkpoint 0x{proof.checkpoint.hash.hex()}, not at yours"
        )
    if anchor.sealers not in (None, frozenset(checkpoint.sealers)):
        raise CheckpointError(Flaw.OTHER_CHAIN, "the proof's checkpoint lists other sealers than yours")
    if anchor.deployments is not None and proof.deployment not in anchor.deployments:
        raise CheckpointError(Flaw.NOT_OUR_SALE, "the proof is of a factory that is not in your list of deployments")


def _document(text: str) -> Mapping[str, Any]:
    if len(text) > FILE_MAX:
        raise AnswerError(Flaw.MALFORMED, f"a proof has at most {FILE_MAX} characters")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AnswerError(Flaw.MALFORMED, "this is not a proof: it is not JSON") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise AnswerError(Flaw.MALFORMED, "this is not a proof of a sale")
    if type(found.get("version")) is not int or found["version"] != VERSION:
        raise AnswerError(Flaw.MALFORMED, f"this proof has version {found.get('version')}, only {VERSION} is known")
    if set(found) != _KEYS or found["digest"] != _digest(found):
        raise AnswerError(Flaw.MALFORMED, "the proof is damaged")
    return found


def _digest(found: Mapping[str, Any]) -> str:
    body = {name: value for name, value in found.items() if name != "digest"}
    return to_hex(keccak(json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()))


def _headers(value: object) -> tuple[Header, ...]:
    return tuple(_header(item) for item in _list(value))


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise AnswerError(Flaw.MALFORMED, "the proof is damaged: something is not a list")
    return value


def _header(value: object) -> Header:
    return Header.from_rlp(data(value, "a header", at_most=HEADER_MAX))


def _address(value: object) -> bytes:
    if not isinstance(value, str) or not is_checksum_address(value):
        raise AnswerError(Flaw.MALFORMED, "the sale's address does not match its checksum")
    return bytes.fromhex(to_checksum_address(value)[2:])


def _positive(value: object, least: int) -> int:
    if type(value) is not int or value < least:
        raise AnswerError(Flaw.MALFORMED, "the proof is damaged: a number of its chain cannot be")
    return value
