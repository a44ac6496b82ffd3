"""What a verifier reports without deciding by it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from eth_utils.crypto import keccak

from contracts.batch import Request
from contracts.deployment import Deployment
from contracts.headers import Header
from contracts.hexadecimal import to_hex
from contracts.proof import ProvenSale
from contracts.proof_errors import Flaw, ProofError
from contracts.sale_state import Status
from contracts.seals import Row

IS_SALE = keccak(text="isSale(address)")[:4]
VERIFY_OWNERSHIP = keccak(text="verifyOwnership(address)")[:4]


class AlarmKind(StrEnum):
    """What there is to report."""

    CALL_DIFFERS = "call-differs"
    OFF_TURN = "off-turn"
    FORK = "fork"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something an operator should know; `evidence` holds what was seen, as JSON."""

    kind: AlarmKind
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def published_calls(sale: str, buyer: str | None, deployments: Sequence[Deployment]) -> list[Request]:
    """The published questions, to go along with a proof: `isSale` at every factory, then `verifyOwnership`."""
    calls: list[tuple[str, bytes, str]] = [(one.factory, IS_SALE, sale) for one in deployments]
    if buyer:
        calls.append((sale, VERIFY_OWNERSHIP, buyer))
    return [
        ("eth_call", [{"to": to.lower(), "data": to_hex(selector + _word(argument))}, "{at}"])
        for to, selector, argument in calls
    ]


def compare_calls(
    found: ProvenSale | ProofError, buyer: str | None, deployments: Sequence[Deployment], answers: Sequence[object]
) -> list[Alarm]:
    """Where the published calls say something else than the proof, which decides."""
    if isinstance(found, ProofError) and found.flaw not in (Flaw.NO_CONTRACT, Flaw.NOT_OUR_SALE):
        return []
    expected = _expected(found, buyer, deployments)
    names = [f"isSale at {one.factory}" for one in deployments] + [f"verifyOwnership({buyer})"]
    return [
        Alarm(
            AlarmKind.CALL_DIFFERS,
            f"{name}: the node says {_said(answer)}, the proof {str(truth).lower()}",
            {"call": name, "node": str(answer)[:200], "proof": truth},
        )
        for name, truth, answer in zip(names, expected, answers, strict=False)
        if truth is not None and _said(answer) != str(truth).lower()
    ]


def off_turn(row: Row) -> list[Alarm]:
    """Difficulties that do not fit the turn under the known sealers."""
    if not row.off_turn:
        return []
    blocks = ", ".join(map(str, row.off_turn))
    message = f"the difficulty of {blocks} does not fit the turn: sealers were voted in or out, or one lies"
    return [Alarm(AlarmKind.OFF_TURN, message, {"blocks": list(row.off_turn)})]


def forks(known: Mapping[int, Header], row: Row) -> list[Alarm]:
    """Blocks of the row that differ from what was verified at their heights before: both are kept as evidence."""
    return [
        Alarm(
            AlarmKind.FORK,
            f"two blocks {header.number} were verified: the chain was reorganised, or a sealer seals on both sides",
            {"number": header.number, "headers": [to_hex(known[header.number].rlp), to_hex(header.rlp)]},
        )
        for header in row.headers
        if header.number in known and known[header.number].hash != header.hash
    ]


def _expected(
    found: ProvenSale | ProofError, buyer: str | None, deployments: Sequence[Deployment]
) -> list[bool | None]:
    if isinstance(found, ProofError):
        return [False for _ in deployments] + [None]
    owned = found.state.status is Status.SOLD and found.state.buyer.lower() == (buyer or "").lower()
    return [one == found.identity.deployment for one in deployments] + [owned if buyer else None]


def _said(answer: object) -> str:
    if answer == to_hex(_number(1)):
        return "true"
    return "false" if answer == to_hex(_number(0)) else "something else"


def _number(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _word(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])
