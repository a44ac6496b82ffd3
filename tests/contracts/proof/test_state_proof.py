"""Proofs of accounts and slots, over random states: what is there, what is not, and nothing else."""

from __future__ import annotations

import pytest
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from rlp.codec import encode_raw
from trie import HexaryTrie

from contracts.hexadecimal import data, minimal, quantity
from contracts.proof_errors import AnswerError, Flaw, StateError
from contracts.rlp_codec import decode, encode
from contracts.sale_state import SaleState, Status
from contracts.slot import decode_slot, encode_slot
from contracts.state_proof import EMPTY_ROOT, Account, check_code, prove, prove_account, prove_slot
from tests.contracts.proof import sealing
from tests.contracts.proof.sealing import Contract, World

places = st.binary(min_size=20, max_size=20)
words = st.integers(min_value=0, max_value=2**256 - 1)


def nodes_of(answer: list[str]) -> list[bytes]:
    """Trie nodes in an answer."""
    return [bytes.fromhex(node[2:]) for node in answer]


@settings(max_examples=40)
@given(st.dictionaries(places, st.dictionaries(st.integers(0, 9), words, max_size=6), min_size=1, max_size=30), places)
def test_what_a_state_holds_is_proven_and_what_it_does_not_hold_is_too(
    held: dict[bytes, dict[int, int]], other: bytes
) -> None:
    """Every account, an absent one, every slot and an empty one."""
    state = World({place: Contract(place, slots) for place, slots in held.items()})
    for place, slots in held.items():
        proof = state.proof(place, "0x0")
        account = prove_account(state.root, place, nodes_of(proof["accountProof"]))
        assert account is not None
        assert account.code_hash == keccak(place)
        for slot in (*slots, 10):
            found = state.proof(place, hex(slot))["storageProof"][0]["proof"]
            assert prove_slot(account.storage_root, slot, nodes_of(found)) == slots.get(slot, 0)
    if other not in held:
        assert prove_account(state.root, other, nodes_of(state.proof(other, "0x0")["accountProof"])) is None


@settings(max_examples=60)
@given(
    st.dictionaries(st.binary(min_size=1, max_size=32), st.binary(min_size=1, max_size=90), min_size=2, max_size=40),
    st.data(),
)
def test_no_byte_of_a_proof_can_be_changed_and_no_node_added_or_left_out(
    held: dict[bytes, bytes], chance: st.DataObject
) -> None:
    """Whatever the trie, also with nodes that are embedded in others."""
    trie = HexaryTrie({})
    for key, value in held.items():
        trie[keccak(key)] = value
    key = chance.draw(st.sampled_from(sorted(held)))
    whole = trie.get_proof(keccak(key))
    nodes = [encode_raw(node) for node in whole]
    nodes = [node for index, node in enumerate(nodes) if index == 0 or len(node) >= 32]
    assert prove(trie.root_hash, key, nodes, Flaw.ACCOUNT_UNPROVEN) == held[key]
    index = chance.draw(st.integers(0, len(nodes) - 1))
    place = chance.draw(st.integers(0, len(nodes[index]) - 1))
    changed = bytearray(nodes[index])
    changed[place] ^= chance.draw(st.integers(1, 255))
    for wrong in (
        [*nodes[:index], bytes(changed), *nodes[index + 1 :]],
        nodes[:index] + nodes[index + 1 :],
        [*nodes, nodes[-1]],
        [*nodes, b"\xc0"],
        nodes[::-1] if len(nodes) > 1 else [],
    ):
        with pytest.raises(StateError):
            prove(trie.root_hash, key, wrong, Flaw.ACCOUNT_UNPROVEN)


def test_a_node_beside_the_way_is_refused() -> None:
    """Linked from above, and not needed: a child of the branch at which the way to an absent key ends."""
    trie = HexaryTrie({})
    for number in range(6):
        trie[keccak(bytes([number]))] = bytes(40)
    root = trie.get_node(trie.root_hash)
    absent = next(bytes([n]) for n in range(6, 256) if root[keccak(bytes([n]))[0] >> 4] == b"")
    nodes = [encode_raw(node) for node in trie.get_proof(keccak(absent))]
    assert prove(trie.root_hash, absent, nodes, Flaw.ACCOUNT_UNPROVEN) == b""
    beside = encode_raw(trie.get_node(next(child for child in root if child)))
    with pytest.raises(StateError, match="more trie nodes"):
        prove(trie.root_hash, absent, [*nodes, beside], Flaw.ACCOUNT_UNPROVEN)


def test_the_empty_trie_holds_nothing() -> None:
    """And needs no node to show it."""
    assert prove_slot(EMPTY_ROOT, 0, []) == 0
    with pytest.raises(StateError):
        prove_slot(EMPTY_ROOT, 0, [b"\x80", b"\x80"])
    with pytest.raises(StateError):
        prove_slot(bytes(32), 0, [])


@pytest.mark.parametrize("body", [b"\x01", encode([b"\x01"] * 3), encode([b""] * 5), b"\xc4\x01\x02\xc0\x80", b"\xff"])
def test_a_trie_that_holds_no_account_is_refused(body: bytes) -> None:
    """Though the hashes fit."""
    trie = HexaryTrie({})
    trie[keccak(bytes(20))] = body
    nodes = [encode_raw(node) for node in trie.get_proof(keccak(bytes(20)))]
    with pytest.raises(StateError, match="no account"):
        prove_account(trie.root_hash, bytes(20), nodes)


@pytest.mark.parametrize("body", [encode([b"\x01"]), encode(b"\x01" * 33), b"\xb8"])
def test_a_trie_that_holds_no_word_is_refused(body: bytes) -> None:
    """A list, too many bytes, no RLP."""
    trie = HexaryTrie({})
    trie[keccak(bytes(32))] = body
    nodes = [encode_raw(node) for node in trie.get_proof(keccak(bytes(32)))]
    with pytest.raises(StateError, match="no word"):
        prove_slot(trie.root_hash, 0, nodes)


@pytest.mark.parametrize(
    "node", [b"\xc0", b"\x01", encode([b"", b""]), encode([b"\x00"] * 3), b"\xf9", encode([b"\x99" * 40] * 17)]
)
def test_a_root_that_is_no_trie_node_is_refused(node: bytes) -> None:
    """Even where a state root names it."""
    with pytest.raises(StateError):
        prove(bytes(keccak(node)), b"key", [node], Flaw.ACCOUNT_UNPROVEN)


def test_code_must_have_the_accounts_hash() -> None:
    """Byte for byte."""
    account = Account(1, 0, EMPTY_ROOT, bytes(keccak(sealing.CODE)))
    check_code(account, sealing.CODE)
    with pytest.raises(StateError):
        check_code(account, sealing.CODE + b"\x00")


@given(st.integers(0, 5), st.binary(min_size=20, max_size=20), st.integers(0, 2**24 - 1), st.integers(0, 2**40 - 1))
def test_a_slot_reads_as_it_was_written(status: int, buyer: bytes, attempt: int, refundable_at: int) -> None:
    """Every bit has its place."""
    address = sealing.to_checksum_address(buyer)
    state = SaleState(Status(status), address, attempt, refundable_at, attempt ^ 1)
    assert decode_slot(encode_slot(state)) == state


@given(words)
def test_every_word_is_a_state_or_refused(word: int) -> None:
    """No bit is ignored."""
    if word >> 160 & 0xFF <= 5:
        assert encode_slot(decode_slot(word)) == word
    else:
        with pytest.raises(StateError, match="no status"):
            decode_slot(word)


@given(st.integers(0, 2**64 - 1))
def test_numbers_have_one_form_each(number: int) -> None:
    """In JSON-RPC and in RLP."""
    assert quantity(hex(number), "n") == number
    assert int.from_bytes(minimal(number), "big") == number
    assert decode(encode(minimal(number))) == minimal(number)
    text = hex(number)
    for wrong in (text.upper(), text.replace("0x", "0x0"), text.removeprefix("0x"), f" {text}", f"{text}\n"):
        with pytest.raises(AnswerError):
            quantity(wrong, "n")


@given(st.binary(max_size=80))
def test_data_have_one_form_each(raw: bytes) -> None:
    """Lower case, whole bytes, the expected size."""
    assert data("0x" + raw.hex(), "d") == data("0x" + raw.hex(), "d", len(raw)) == raw
    for wrong in (
        "0X" + raw.hex(),
        raw.hex(),
        "0x" + raw.hex() + "0",
        "0x" + raw.hex() + "zz",
        "0x" + raw.hex() + "\n",
    ):
        with pytest.raises(AnswerError):
            data(wrong, "d")
    with pytest.raises(AnswerError):
        data("0x" + raw.hex(), "d", len(raw) + 1)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_rlp_are_refused_and_never_read_two_ways(raw: bytes) -> None:
    """Any bytes at all."""
    try:
        found = decode(raw)
    except ValueError:
        return
    if isinstance(found, bytes) or all(isinstance(item, bytes) for item in found):
        assert encode(found) == raw  # type: ignore[arg-type]
