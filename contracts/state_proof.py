"""From a state root to an account and to one of its storage slots (EIP-1186), through the nodes of two tries. Pure.

Nothing is decoded before its hash is known to be the one that the node above it, or the root, names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak
from trie.constants import BLANK_NODE_HASH
from trie.exceptions import InvalidNibbles, InvalidNode, MissingTrieNode, ValidationError
from trie.hexary import HexaryTrie

from contracts.proof_errors import Flaw, StateError
from contracts.rlp_codec import DecodingError, decode

NODE_MAX: Final = 1_024
NODES_MAX: Final = 65

_TRIE_ERRORS: Final = (DecodingError, InvalidNibbles, InvalidNode, MissingTrieNode, ValidationError)
_SHAPE_ERRORS: Final = (ValueError, TypeError, IndexError, KeyError, RecursionError)
EMPTY_ROOT: Final = bytes(BLANK_NODE_HASH)


@dataclass(frozen=True, slots=True)
class Account:
    """What the state holds about an address."""

    nonce: int
    balance_wei: int
    storage_root: bytes
    code_hash: bytes


def prove(root: bytes, key: bytes, nodes: Sequence[bytes], flaw: Flaw) -> bytes:
    """The value that a trie with this root holds under keccak(key); nothing when it provably holds none.

    The nodes are exactly those on the way, from the root down.

    Raises:
        StateError: they do not lead there.
    """
    if root == EMPTY_ROOT and not nodes:
        return b""
    known = _Visited(_hashed(root, nodes, flaw))
    try:
        value = bytes(HexaryTrie(known, root).get(keccak(key)))
    except (*_TRIE_ERRORS, *_SHAPE_ERRORS) as error:
        raise StateError(flaw, "the trie nodes do not lead to the key") from error
    if len(known.visited) != len(nodes):
        raise StateError(flaw, "there are more trie nodes than lead to the key")
    return value


def prove_account(state_root: bytes, address: bytes, nodes: Sequence[bytes]) -> Account | None:
    """The account at this address, or None when the state provably has none.

    Raises:
        StateError: the nodes do not lead there, or to something that is no account.
    """
    raw = prove(state_root, address, nodes, Flaw.ACCOUNT_UNPROVEN)
    if not raw:
        return None
    try:
        nonce, balance, storage_root, code_hash = map(_word, decode(raw))
    except (ValueError, TypeError) as error:
        raise StateError(Flaw.ACCOUNT_UNPROVEN, "the trie holds something that is no account") from error
    return Account(int.from_bytes(nonce, "big"), int.from_bytes(balance, "big"), storage_root, code_hash)


def prove_slot(storage_root: bytes, slot: int, nodes: Sequence[bytes]) -> int:
    """The value of a storage slot; 0 when it is provably empty.

    Raises:
        StateError: the nodes do not lead there, or to something that is no word.
    """
    raw = prove(storage_root, slot.to_bytes(32, "big"), nodes, Flaw.STORAGE_UNPROVEN)
    if not raw:
        return 0
    try:
        return int.from_bytes(_word(decode(raw)), "big")
    except ValueError as error:
        raise StateError(Flaw.STORAGE_UNPROVEN, "the trie holds something that is no word") from error


def check_code(account: Account, code: bytes) -> None:
    """The code is the account's.

    Raises:
        StateError: its hash is another.
    """
    if keccak(code) != account.code_hash:
        raise StateError(Flaw.CODE_DIFFERS, "the code is not that of the proven account")


def _word(item: object) -> bytes:
    if not isinstance(item, bytes) or len(item) > 32:
        raise ValueError("not a word")
    return item


class _Visited(dict[bytes, bytes]):
    """The nodes by their hashes; remembers which were asked for."""

    def __init__(self, nodes: dict[bytes, bytes]) -> None:
        super().__init__(nodes)
        self.visited: set[bytes] = set()

    def __getitem__(self, key: bytes) -> bytes:
        self.visited.add(key)
        return super().__getitem__(key)


def _hashed(root: bytes, nodes: Sequence[bytes], flaw: Flaw) -> dict[bytes, bytes]:
    if not 0 < len(nodes) <= NODES_MAX or any(len(node) > NODE_MAX for node in nodes):
        raise StateError(flaw, f"a proof has 1 to {NODES_MAX} nodes of at most {NODE_MAX} bytes")
    hashes = [bytes(keccak(node)) for node in nodes]
    if hashes[0] != root:
        raise StateError(flaw, "the first trie node is not the root")
    for above, node in zip(nodes, hashes[1:], strict=False):
        if node not in above:
            raise StateError(flaw, "a trie node is not named by the one above it")
    return dict(zip(hashes, nodes, strict=True))
