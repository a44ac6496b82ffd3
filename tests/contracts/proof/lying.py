"""A gateway that lies, and a gate that counts how often it opened."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.batch import Request
from contracts.proof_verifier import ProofVerifier, ProvenVerdict
from tests.contracts.proof import sealing
from tests.contracts.proof.sealing import Node

DEVICE = 7
Rewrite = Callable[[str, list[Any], Any], Any]


class Liar:
    """Stands between a device and a node: asks the node and rewrites what it answers."""

    def __init__(self, node: Callable[[Sequence[Request]], list[object]], rewrite: Rewrite) -> None:
        self.node = node
        self.rewrite = rewrite

    def __call__(self, batch: Sequence[Request]) -> list[object]:
        """The rewritten results."""
        return [
            self.rewrite(method, params, copy.deepcopy(result))
            for (method, params), result in zip(batch, self.node(batch), strict=True)
        ]


@dataclass
class Gate:
    """Opens only when the release by its own device is proven deep, and again at the newest depth."""

    verifier: ProofVerifier
    device: int = DEVICE
    opened: int = 0
    refusals: list[ProvenVerdict] = field(default_factory=list)

    def try_to_open(self, attempt: int = 0, sale: str = sealing.SALE) -> bool:
        """What the release path of a door does."""
        sealers = self.verifier.prover.memory.checkpoint.sealers
        for depth in (len(sealers), len(sealers) // 2):
            verdict = self.verifier.verify_releasing(sale, attempt, self.device, depth)  # type: ignore[arg-type]
            if not verdict.accepted:
                self.refusals.append(verdict)
                return False
        self.opened += 1
        return True

    @property
    def flaw(self) -> object:
        """Which rule the last refused answer broke."""
        return self.refusals[-1].flaw

    @property
    def reason(self) -> object:
        """Why it was refused last."""
        return self.refusals[-1].reason


def method_only(wanted: str, change: Callable[[Any], Any]) -> Rewrite:
    """Rewrites the results of one method."""
    return lambda method, _, result: change(result) if method == wanted else result


def header_only(number: int, change: Callable[[dict[str, Any]], Any]) -> Rewrite:
    """Rewrites one header."""

    def rewrite(method: str, params: list[Any], result: Any) -> Any:
        wanted = method == "eth_getBlockByNumber" and int(params[0], 16) == number
        return change(result) if wanted else result

    return rewrite


def flip_hex(text: str, place: int = -1) -> str:
    """The same text with one digit changed to another."""
    digits = list(text)
    digits[place] = "1" if digits[place] != "1" else "2"
    return "".join(digits)


def rehash(answer: dict[str, Any]) -> dict[str, Any]:
    """The header with the hash that fits its fields, as a liar would give it."""
    from contracts.headers import FIELDS, Header, _field
    from contracts.hexadecimal import to_hex

    header = Header(tuple(_field(answer[name], name, size) for name, size in FIELDS))
    return answer | {"hash": to_hex(header.hash)}


def honest(node: Node) -> Liar:
    """A gateway that does not lie."""
    return Liar(node, lambda _method, _params, result: result)
