"""Headers, rows, clocks, batches, memory: each rule by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.batch import RpcError, ask, read_batch, write_batch
from contracts.clock import Freshness, Seen
from contracts.epochs import Checkpoint
from contracts.headers import FIELDS, Header
from contracts.identity import identify
from contracts.memory import Memory, read_memory, write_memory
from contracts.proof_errors import AnswerError, Flaw, HeaderError, IdentityError, ProofError, SealError
from contracts.rlp_codec import encode
from contracts.seals import SealRules, check_row, longest_row, majority_depth, needed, vouched_time
from contracts.terms import Terms, clone_code, sale_address
from tests.contracts.proof import sealing
from tests.contracts.proof.conftest import RULES, checkpoint_of, prover_of
from tests.contracts.proof.sealing import ITEM, Chain, Node, as_json


def test_a_header_is_the_same_from_json_and_from_rlp() -> None:
    """And has one encoding."""
    header = Chain(sealing.keyring(3)).seal(3)
    assert Header.from_json(as_json(header)) == Header.from_rlp(header.rlp) == header
    assert Header.from_json(as_json(header)).hash == header.hash


@given(st.binary(max_size=700))
def test_bytes_that_are_no_header_are_refused(raw: bytes) -> None:
    """Any bytes at all."""
    with pytest.raises(AnswerError):
        Header.from_rlp(raw)


@pytest.mark.parametrize("index", range(len(FIELDS)))
def test_every_field_has_its_size_in_rlp(index: int) -> None:
    """Longer, shorter, with a leading zero, a list instead."""
    header = Chain(sealing.keyring(3)).seal(3)
    name, size = FIELDS[index]
    wrong = [b"\x01" * 4_000, b"\x00\x01"]
    wrong += [bytes(size - 1), bytes(size + 1), b""] if size > 0 else []
    for item in wrong if name != "extraData" else wrong[:1]:
        items = [*header.items[:index], item, *header.items[index + 1 :]]
        with pytest.raises(AnswerError):
            Header.from_rlp(encode(items))
    nested = encode(header.items).replace(header.items[0], b"\xc0" * 32)
    assert Header.from_rlp(nested) != header
    for count in (15, 17):
        with pytest.raises(AnswerError):
            Header.from_rlp(encode((header.items * 2)[:count]))


@pytest.mark.parametrize("answer", [None, [], "0x", 5, {}, {"hash": "0x"}])
def test_what_is_no_header_is_refused(answer: object) -> None:
    """Of whatever kind."""
    with pytest.raises(AnswerError):
        Header.from_json(answer)


@pytest.mark.parametrize(
    "fields",
    [
        {"sha3Uncles": b"\x01" * 32},
        {"mixHash": b"\x01" * 32},
        {"difficulty": b"\x03"},
        {"difficulty": b""},
        {"nonce": b"\x01" * 8},
        {"gasUsed": b"\x7f\xff\xff\xff"},
        {"extraData": bytes(96)},
        {"extraData": bytes(32 + 20 + 65)},
    ],
)
def test_cliques_rules_for_one_header(fields: dict[str, bytes]) -> None:
    """Broken by a sealer himself: the signature is good."""
    chain = Chain(sealing.keyring(3))
    chain.seal(2)
    chain.seal(1, **fields)
    with pytest.raises((HeaderError, SealError)) as refused:
        check_row(chain.blocks[1:], chain.addresses, RULES)
    assert refused.value.flaw in (Flaw.NOT_CLIQUE, Flaw.BAD_SEAL)


def test_counting_sealers() -> None:
    """k, the majority, and the longest row, for 1 to 7."""
    for count, k in ((1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (7, 3)):
        sealers = tuple(bytes([number]) * 20 for number in range(count))
        assert (majority_depth(sealers), needed(sealers, RULES)) == (k, k + 1)
        assert needed(sealers, SealRules(1, 10, distinct_sealers=count)) == max(count, k + 1)
        assert longest_row(sealers) == 4 * count


@pytest.mark.parametrize("count", [1, 3, 5, 7])
def test_a_row_of_k_and_one_in_turn_suffices_and_one_less_does_not(count: int) -> None:
    """At any number of sealers."""
    chain = Chain(sealing.keyring(count))
    chain.seal(12)
    k = count // 2
    assert check_row(chain.blocks[-k - 1 :], chain.addresses, RULES).depth == k
    with pytest.raises(SealError) as refused:
        check_row(chain.blocks[-k:] if k else [], chain.addresses, RULES)
    assert refused.value.flaw is Flaw.ROW_TOO_SHORT


@given(st.lists(st.integers(0, 6), min_size=1, max_size=14), st.sampled_from([1, 3, 5]))
def test_a_row_is_accepted_exactly_when_enough_rested_sealers_are_in_it(order: list[int], count: int) -> None:
    """Against a plain reading of the rule; keys beyond the count are strangers."""
    keys = sealing.keyring(7)
    chain = Chain(keys[:count])
    for index in order:
        chain.seal(by=keys[index])
    known = [index for index in order if index < count]
    k = count // 2
    rested = all(index >= count or index not in order[max(0, place - k) : place] for place, index in enumerate(order))
    expected = rested and len(set(known)) > k
    try:
        row = check_row(chain.blocks[1:], tuple(sealing.address(one) for one in keys[:count]), RULES)
    except ProofError:
        assert not expected
    else:
        assert expected
        assert row.depth == sum(index < count for index in order[1:])
        assert len(row.known) == len(set(known))


def test_the_vouched_time_is_that_of_the_last_majority() -> None:
    """Not that of one newest header."""
    chain = Chain(sealing.keyring(5))
    chain.seal(10)
    row = check_row(chain.blocks[4:], chain.addresses, RULES)
    times = [header.timestamp for header in chain.blocks[4:]]
    assert [vouched_time(row, wanted) for wanted in (1, 2, 3)] == times[::-1][:3]


def test_difficulties_off_turn_are_noted() -> None:
    """Not refused: after a vote within the epoch all of them may be."""
    chain = Chain(sealing.keyring(3))
    chain.seal(4)
    chain.seal(1, difficulty=b"\x01")
    chain.seal(1)
    row = check_row(chain.blocks[1:], chain.addresses, RULES)
    assert row.off_turn == (5,)


def test_the_deployment_is_found_by_factory_and_implementation() -> None:
    """The first that fits; none where none does."""
    other = sealing.Deployment(1, sealing.REGISTRY, sealing.IMPLEMENTATION, sealing.REGISTRY)
    found = identify(sealing.CODE, sealing.SALE, [other, sealing.DEPLOYMENT])
    assert (found.deployment, found.terms) == (sealing.DEPLOYMENT, sealing.TERMS)
    for known in ([], [other]):
        with pytest.raises(IdentityError):
            identify(sealing.CODE, sealing.SALE, known)


@given(st.binary(min_size=1, max_size=64), st.integers(0, 2**96 - 1))
def test_any_terms_are_identified_by_their_own_address_only(label: bytes, price: int) -> None:
    """Also labels that are not UTF-8."""
    fields = {name: getattr(sealing.TERMS, name) for name in Terms.__slots__}
    raw = sealing.CODE[45:][:20] + price.to_bytes(12, "big") + bytes(12) + bytes([len(label), 1]) + label + b"m"
    code = clone_code(sealing.IMPLEMENTATION, raw)
    place = sale_address(sealing.FACTORY, sealing.IMPLEMENTATION, raw)
    assert identify(code, place, [sealing.DEPLOYMENT]).terms.price_wei == price
    assert fields
    with pytest.raises(IdentityError):
        identify(code, sealing.SALE, [sealing.DEPLOYMENT])


def test_a_batch_is_read_in_the_order_of_its_requests() -> None:
    """Whatever the order of the answers."""
    sent = json.loads(write_batch([("a", [1]), ("b", [])]))
    assert [one["id"] for one in sent] == [0, 1]
    body = json.dumps([{"id": 1, "result": "y"}, {"id": 0, "error": {"code": -1, "message": "no"}}]).encode()
    assert read_batch(body, 2) == [RpcError(-1, "no"), "y"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"[1]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'[{"id": 1}]',
        b'[{"id": "0"}]',
        b'[{"id": true}]',
        b'[{"id": 0}, {"id": 0}]',
        b'[{"id": 0, "error": 5}]',
        b" " * (1 << 20) + b"[]",
    ],
)
def test_a_body_that_is_no_answer_is_refused(body: bytes) -> None:
    """Whatever comes over the wire."""
    with pytest.raises(AnswerError):
        read_batch(body, 1)


def test_hostile_nesting_is_an_error_and_no_crash() -> None:
    """Importing web3 raises Python's recursion limit so far that deep JSON would end the process."""
    code = "import web3, contracts.rpc, json\ntry: json.loads('[' * 200_000)\nexcept RecursionError: print('refused')\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr


def test_long_questions_are_asked_in_batches_of_32() -> None:
    """The gateway lets no longer ones through; a short answer is refused."""
    sizes: list[int] = []

    def call(batch: Any) -> list[object]:
        sizes.append(len(batch))
        return list(batch)

    assert len(ask(call, [("m", [n]) for n in range(70)])) == 70
    assert sizes == [32, 32, 6]
    with pytest.raises(AnswerError):
        ask(lambda _: [], [("m", [])])


def test_memory_survives_its_text_and_never_goes_back() -> None:
    """Checkpoint and highest head."""
    chain = Chain(sealing.keyring(3))
    chain.seal(5)
    memory = Memory(checkpoint_of(chain)).with_head(Seen.of(chain.head))
    assert read_memory(write_memory(memory)) == memory
    assert memory.with_head(Seen.of(chain.blocks[3])) is memory
    assert memory.with_head(Seen.of(chain.head)) is memory
    told = Memory(Checkpoint.configured(["0x" + "ab" * 20], 5))
    assert read_memory(write_memory(told)) == told


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"version": 2}', '{"version": 1, "checkpoint": {}, "head": null}', "[" * 100_000]
)
def test_a_memory_that_cannot_be_read_is_refused_in_words(text: str) -> None:
    """The device then starts from its configuration."""
    with pytest.raises(AnswerError):
        read_memory(text)


def test_a_node_that_hangs_back_is_asked_again() -> None:
    """Another one behind the same gateway, or a moment later."""
    chain = Chain(sealing.keyring(3), start=sealing.world(sealing.SOLD))
    chain.seal(12)
    behind = chain.fork()
    del behind.blocks[-2:], behind.worlds[-2:]
    fresh, old = Node(chain), Node(behind)
    turn = 0

    def alternating(batch: Any) -> list[object]:
        nonlocal turn
        turn += 1
        return (old if turn % 3 == 0 else fresh)(batch)

    prover = prover_of(fresh)
    prover.call = alternating
    waited: list[float] = []
    prover._pause = waited.append
    for _ in range(6):
        assert prover.prove(sealing.SALE, 1)[0].state == sealing.SOLD
    assert waited


def test_a_row_with_strangers_grows_until_enough_known_ones_are_in_it() -> None:
    """A sealer was voted in since the last epoch block."""
    chain = Chain(sealing.keyring(3), start=sealing.world(sealing.SOLD))
    chain.seal(12)
    newcomer = sealing.key("newcomer")
    for key in (newcomer, chain.sealers[0]):
        chain.seal(by=key)
    found, _ = prover_of(Node(chain)).prove(sealing.SALE, 1)
    assert found.row.depth >= 1
    assert found.row.known == set(chain.addresses)
    assert found.block < chain.head.number - 1


def test_the_limits_of_freshness_are_settings() -> None:
    """30 s behind and 5 s ahead by default."""
    assert Freshness() == Freshness(30, 5)
    assert ITEM["number"] == 8
