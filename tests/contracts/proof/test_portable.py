"""Proofs as files: strict, versioned, whole; no forged one is believed."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from contracts.deployment import Deployment
from contracts.fault import LadingError
from contracts.portable import Anchor, _digest, read_portable, sealers_of, verify_portable
from contracts.proof_errors import AnswerError, Flaw, ProofError
from contracts.proof_export import export_proof
from contracts.seals import SealRules
from tests.contracts.proof import sealing
from tests.contracts.proof.record import VECTORS
from tests.contracts.proof.sealing import Chain, Node

TEXT = (VECTORS / "released.json").read_text()
EXPECTED = json.loads((VECTORS / "expected.json").read_text())["released"]
ANCHOR = Anchor(bytes.fromhex(EXPECTED["checkpoint"][2:]))
PARTS = sorted(set(json.loads(TEXT)) - {"digest"})


def forged(**changes: Any) -> str:
    """The file with other parts and a digest that fits, as a forger would write it."""
    body = json.loads(TEXT) | changes
    return json.dumps(body | {"digest": _digest(body)})


def flaw_of(text: str, anchor: Anchor = ANCHOR) -> Flaw:
    """Why it is refused."""
    with pytest.raises(ProofError) as refused:
        verify_portable(text, anchor)
    return refused.value.flaw


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", "{" * 100_000, '{"format": "x"}', "\x00", '{"format": "lading-proof"}', TEXT[:-9]],
)
def test_what_is_no_proof_is_refused_in_words(text: str) -> None:
    """Whatever the file holds."""
    assert flaw_of(text) is Flaw.MALFORMED


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("value", [None, 0, "", [], {}, "0x", ["0x"], [[]], [None], True])
def test_no_part_may_be_anything_else(name: str, value: object) -> None:
    """Even with a digest that fits."""
    if name == "walk" and value == []:
        return
    with pytest.raises(LadingError):
        verify_portable(forged(**{name: value}), ANCHOR)


def test_a_missing_or_additional_part_is_refused() -> None:
    """The version says which parts there are."""
    body = json.loads(TEXT)
    for name in body:
        assert flaw_of(json.dumps({key: value for key, value in body.items() if key != name})) is Flaw.MALFORMED
    assert flaw_of(forged(more=1)) is Flaw.MALFORMED
    with pytest.raises(AnswerError, match="version 2"):
        verify_portable(forged(version=2), ANCHOR)


def test_no_character_of_the_file_can_be_changed() -> None:
    """A sample of changes: refused, unless it reads as the same JSON."""
    chance = random.Random(5)
    same = json.loads(TEXT)
    for _ in range(1_500):
        place = chance.randrange(len(TEXT))
        changed = TEXT[:place] + chr(ord(TEXT[place]) ^ 1 << chance.randrange(7)) + TEXT[place + 1 :]
        try:
            verify_portable(changed, ANCHOR)
        except ProofError:
            continue
        assert json.loads(changed) == same


@pytest.mark.parametrize("name", ["block", "status", "buyer", "attempt", "refundable_at", "device"])
def test_the_file_must_say_what_it_proves(name: str) -> None:
    """What a person reads in it is what is proven."""
    said = json.loads(TEXT)["says"]
    assert flaw_of(forged(says=said | {name: "something else"})) is Flaw.MALFORMED


def test_too_few_headers_on_top_are_refused() -> None:
    """2 N are needed."""
    headers = json.loads(TEXT)["headers"]
    assert flaw_of(forged(headers=headers[:-1])) is Flaw.ROW_TOO_SHORT
    assert flaw_of(forged(headers=headers[:1])) is Flaw.ROW_TOO_SHORT
    assert flaw_of(forged(headers=[])) is Flaw.ROW_TOO_SHORT


def test_headers_proofs_and_code_of_another_file_do_not_fit() -> None:
    """Every part from the proof of another state of the same sale."""
    other = json.loads((VECTORS / "releasing.json").read_text())
    for name in ("headers", "account_proof", "storage_proof"):
        assert isinstance(flaw_of(forged(**{name: other[name]})), Flaw)


def test_only_the_sales_of_known_factories_count_where_they_are_given() -> None:
    """Another list of deployments refuses it."""
    deployment = read_portable(TEXT).deployment
    assert verify_portable(TEXT, replace(ANCHOR, deployments=(deployment,)))
    foreign = Deployment(deployment.chain_id, sealing.FACTORY, deployment.implementation, deployment.registry)
    assert flaw_of(TEXT, replace(ANCHOR, deployments=(foreign,))) is Flaw.NOT_OUR_SALE
    body = json.loads(TEXT)["deployment"]
    assert flaw_of(forged(deployment=body | {"factory": sealing.FACTORY})) is Flaw.NOT_OUR_SALE


@pytest.mark.parametrize("sealers", [1, 3, 5])
def test_an_exported_proof_is_verified_by_the_genesis_and_by_the_sealers(sealers: int) -> None:
    """With the walk from the genesis, and from the last epoch block."""
    rules = SealRules(1, 20)
    chain = Chain(sealing.keyring(sealers), epoch=20, start=sealing.world(sealing.RELEASING))
    chain.seal(75)
    for start in (0, None, 40):
        text = export_proof(Node(chain), sealing.SALE, [sealing.DEPLOYMENT], rules, start=start)
        known = chain.blocks[60 if start is None else start].hash
        assert verify_portable(text, Anchor(known)).state == sealing.RELEASING
        assert verify_portable(text, Anchor(sealers=frozenset(chain.addresses)))
    with pytest.raises(ProofError, match="wait"):
        export_proof(Node(chain), sealing.SALE, [sealing.DEPLOYMENT], rules, block=chain.head.number - 1)


def test_a_newcomers_seals_in_the_row_make_the_proof_longer() -> None:
    """A sealer voted in since the last epoch block is a stranger there: more headers are taken."""
    chain = Chain(sealing.keyring(3), epoch=30, start=sealing.world(sealing.RELEASING))
    newcomer = sealing.key("newcomer")
    chain.seal(40)
    for number in range(16):
        chain.seal(by=newcomer if number % 4 == 2 else chain.sealers[(number - (number + 1) // 4) % 3])
    text = export_proof(Node(chain), sealing.SALE, [sealing.DEPLOYMENT], SealRules(1, 30), block=40)
    assert len(json.loads(text)["headers"]) == 9
    assert verify_portable(text, Anchor(chain.blocks[30].hash)).row.depth == 6


def test_an_anchor_needs_addresses() -> None:
    """Of sealers, in hexadecimal."""
    assert sealers_of(["0x" + "Ab" * 20]) == {b"\xab" * 20}
    with pytest.raises(AnswerError):
        sealers_of(["sealer"])
