"""Every bit of one recorded answer matters: flip any of them and the answer is refused, with a reason."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.answer import Answer, read_answer
from contracts.batch import read_batch
from contracts.deployment import Deployment
from contracts.epochs import Checkpoint
from contracts.headers import FIELDS, Header
from contracts.proof import Trust, prove_fresh
from contracts.proof_errors import ProofError
from contracts.sale_state import Status
from contracts.seals import SealRules
from tests.contracts.proof.record import DEPTH, VECTORS

RECORD = json.loads((VECTORS / "wire.json").read_text())
READ = {"hash", *(name for name, _ in FIELDS)}
TRUST = Trust((Deployment(**RECORD["deployment"]),), SealRules(RECORD["period_s"], RECORD["epoch"]))
KNOWN = Checkpoint.of(Header.from_rlp(bytes.fromhex(RECORD["checkpoint"][2:])))


def body(results: list[Any]) -> bytes:
    """The answer as it comes over the wire."""
    answers = [{"id": number, "result": result} for number, result in enumerate(results)]
    return json.dumps(answers, separators=(",", ":")).encode()


def parse(raw: bytes) -> Answer:
    """The answer in a body."""
    return read_answer(RECORD["sale"], RECORD["base"], read_batch(raw, len(RECORD["results"])))


def judge(raw: bytes) -> Status:
    """What a body proves, a second after its head."""
    answer = parse(raw)
    return prove_fresh(TRUST, KNOWN, answer, DEPTH, now=NOW).state.status


NOW = int(RECORD["results"][-1]["timestamp"], 16) + 1
WHOLE = body(RECORD["results"])
PLAIN = body([{k: v for k, v in r.items() if k in READ} if "parentHash" in r else r for r in RECORD["results"]])


def flips(raw: bytes, count: int) -> Iterator[bytes]:
    """So many bodies that differ from this one in a single bit; all of them if there are not so many."""
    places = range(8 * len(raw))
    chosen = places if count >= len(places) else random.Random(8).sample(places, count)
    for place in chosen:
        changed = bytearray(raw)
        changed[place // 8] ^= 1 << place % 8
        yield bytes(changed)


def refusals(raw: bytes, count: int) -> Counter[str]:
    """Why so many flipped bodies are refused; `opened` counts those that are not."""
    found: Counter[str] = Counter()
    for changed in flips(raw, count):
        try:
            judge(changed)
        except ProofError as error:
            found[error.flaw] += 1
        else:
            found["opened"] += 1
    return found


def test_the_recorded_answer_is_accepted() -> None:
    """Otherwise the flips would prove nothing."""
    assert judge(WHOLE) is judge(PLAIN) is Status.RELEASING
    assert asdict(TRUST.deployments[0]) == RECORD["deployment"]


@pytest.mark.row("N3")
def test_no_single_flipped_bit_is_accepted() -> None:
    """A sample; every one of them under --long."""
    found = refusals(PLAIN, 3_000)
    assert found["opened"] == 0
    assert sum(found.values()) == 3_000


@pytest.mark.long
def test_none_of_all_flipped_bits_is_accepted() -> None:
    """Every bit of everything that is read."""
    found = refusals(PLAIN, 10**9)
    print(f"\n{sum(found.values())} bits flipped: {dict(found.most_common())}")
    assert found["opened"] == 0
    assert sum(found.values()) == 8 * len(PLAIN) >= 20_000


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["0x", "0x0", "0x00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key", "proof", "value"]), inner),
    max_leaves=4,
)


@settings(max_examples=150)
@given(st.data(), values)
def test_any_other_value_anywhere_is_refused_and_nothing_else_is_raised(chance: st.DataObject, value: object) -> None:
    """In the place of any part of the answer, at any depth."""
    results = json.loads(json.dumps(RECORD["results"]))
    place, key = results, chance.draw(st.integers(0, len(results) - 1))
    while isinstance(place[key], (dict, list)) and place[key] and chance.draw(st.booleans()):
        place = place[key]
        key = chance.draw(st.sampled_from(sorted(place)) if isinstance(place, dict) else st.integers(0, len(place) - 1))
    place[key] = value
    try:
        answer = read_answer(RECORD["sale"], RECORD["base"], results)
        prove_fresh(TRUST, KNOWN, answer, DEPTH, now=NOW)
    except ProofError:
        return
    assert answer == parse(WHOLE)


def test_what_is_not_read_changes_nothing() -> None:
    """A bit of `size`, `uncles`, `transactions`, `totalDifficulty`: refused, or the very same answer is read."""
    honest = parse(WHOLE)
    for changed in flips(WHOLE, 1_000):
        try:
            judge(changed)
        except ProofError:
            continue
        assert parse(changed) == honest
