"""What to ask a node for a proof of a sale, and the node's answer, read but not yet believed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.batch import Request, RpcError
from contracts.headers import Header
from contracts.hexadecimal import data, quantity
from contracts.proof_errors import AnswerError, Flaw
from contracts.state_proof import NODE_MAX, NODES_MAX, Account

SLOT: Final = 0
CODE_MAX: Final = 24_576
_SLOT_KEY: Final = f"0x{SLOT:064x}"
_PRUNED: Final = ("missing trie node", "state not available", "historical state")


@dataclass(frozen=True, slots=True)
class Claims:
    """What the node says beside the trie nodes; compared with what they prove."""

    account: Account
    word: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Headers on one another, oldest first, and at the oldest the proofs and the code of one address."""

    sale: bytes
    headers: tuple[Header, ...]
    account_nodes: tuple[bytes, ...]
    slot_nodes: tuple[bytes, ...]
    code: bytes
    claims: Claims | None = None


def requests(sale: str, base: int, head: int) -> list[Request]:
    """What to ask for the state of a sale at block `base` with the headers up to `head` on top."""
    at = hex(base)
    return [
        ("eth_getProof", [sale, [_SLOT_KEY], at]),
        ("eth_getCode", [sale, at]),
        *header_requests(base, head),
    ]


def header_requests(first: int, last: int) -> list[Request]:
    """What to ask for the headers of these blocks."""
    return [("eth_getBlockByNumber", [hex(number), False]) for number in range(first, last + 1)]


def read_answer(sale: str, base: int, results: Sequence[object]) -> Answer:
    """The answer to `requests`.

    Raises:
        AnswerError: something is missing, malformed, or of another block or sale.
    """
    address = data(sale.lower(), "the sale's address", 20)
    proof, code, *blocks = results
    headers = read_headers(base, blocks)
    found = _present(proof, f"the proof at block {base}")
    if not isinstance(found, Mapping):
        raise AnswerError(Flaw.MALFORMED, "a proof is an object")
    if data(found.get("address"), "address", 20) != address:
        raise AnswerError(Flaw.OTHER_SALE, "the proof is of another address")
    word, slot_nodes = _storage(found)
    return Answer(
        sale=address,
        headers=headers,
        account_nodes=nodes(found.get("accountProof"), "accountProof"),
        slot_nodes=slot_nodes,
        code=data(_present(code, f"the code at block {base}"), "code", at_most=CODE_MAX),
        claims=Claims(_account(found), word),
    )


def read_headers(first: int, results: Sequence[object]) -> tuple[Header, ...]:
    """The headers of the blocks from `first` on.

    Raises:
        AnswerError: one is missing, malformed, or of another block.
    """
    headers = []
    for number, result in enumerate(results, first):
        header = Header.from_json(_present(result, f"block {number}"))
        if header.number != number:
            raise AnswerError(Flaw.OTHER_BLOCK, f"block {header.number} came instead of block {number}")
        headers.append(header)
    return tuple(headers)


def nodes(value: object, name: str) -> tuple[bytes, ...]:
    """A list of trie nodes, its length checked before anything is decoded."""
    if not isinstance(value, list) or len(value) > NODES_MAX:
        raise AnswerError(Flaw.MALFORMED, f"{name} is not a list of at most {NODES_MAX} trie nodes")
    return tuple(data(node, name, at_most=NODE_MAX) for node in value)


def read_number(result: object) -> int:
    """The answer to `eth_blockNumber`."""
    return quantity(_present(result, "the head's number"), "the head's number")


def _present(result: object, name: str) -> object:
    if isinstance(result, RpcError):
        flaw = Flaw.PRUNED if any(sign in result.message for sign in _PRUNED) else Flaw.MISSING_BLOCK
        advice = ": a node that keeps the state (--gcmode archive) is needed" if flaw is Flaw.PRUNED else ""
        raise AnswerError(flaw, f"the node has not {name} ({result.message}){advice}")
    if result is None:
        raise AnswerError(Flaw.MISSING_BLOCK, f"the node has not {name}: it hangs back, or is of another chain")
    return result


def _account(found: Mapping[str, object]) -> Account:
    return Account(
        quantity(found.get("nonce"), "nonce"),
        quantity(found.get("balance"), "balance", 32),
        data(found.get("storageHash"), "storageHash", 32),
        data(found.get("codeHash"), "codeHash", 32),
    )


def _storage(found: Mapping[str, object]) -> tuple[int, tuple[bytes, ...]]:
    proofs = found.get("storageProof")
    if not isinstance(proofs, list) or len(proofs) != 1 or not isinstance(proofs[0], Mapping):
        raise AnswerError(Flaw.MALFORMED, "storageProof is not a list of one proof")
    if proofs[0].get("key") not in (_SLOT_KEY, hex(SLOT)):
        raise AnswerError(Flaw.MALFORMED, "the storage proof is of another slot")
    return quantity(proofs[0].get("value"), "value", 32), nodes(proofs[0].get("proof"), "storageProof")
