"""Old pictures, forks, strangers, retired and lying sealers, on chains that are really signed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from coincurve import PrivateKey

from contracts.epochs import Checkpoint
from contracts.memory import Memory
from contracts.proof import Trust
from contracts.proof_errors import Flaw
from contracts.proof_verifier import ProofVerifier
from contracts.seals import SealRules
from contracts.verdict import Reason
from tests.contracts.proof import sealing
from tests.contracts.proof.conftest import TRUST, checkpoint_of
from tests.contracts.proof.lying import Gate, Liar, method_only
from tests.contracts.proof.sealing import Chain, Node, minimal, sign

FORGED = sealing.world(sealing.RELEASING)
STRANGERS = sealing.keyring(40, "stranger")


def sold_chain(sealers: int = 3, blocks: int = 12, **options: Any) -> Chain:
    """Paid for, released by nobody."""
    made = Chain(sealing.keyring(sealers), start=sealing.world(sealing.SOLD), **options)
    made.seal(blocks)
    return made


def gate_at(
    shown: Chain, honest: Chain, trust: Trust = TRUST, now: int | None = None, memory: Memory | None = None
) -> Gate:
    """A gate that was set up on the honest chain and is shown another one."""
    from contracts.prover import Prover

    clock = now if now is not None else honest.head.timestamp
    known = memory or Memory(checkpoint_of(honest))
    prover = Prover(Node(shown), trust, known, clock=lambda: clock, pause=lambda _: None)
    return Gate(ProofVerifier(prover, site=1))


def test_a_fork_by_one_key_of_three_opens_nothing() -> None:
    """Cut off, it seals alone: every block is its own."""
    chain = sold_chain()
    fork = chain.fork()
    fork.seal(14, by=chain.sealers[0], state=FORGED)
    gate = gate_at(fork, chain, now=fork.head.timestamp)
    assert not gate.try_to_open()
    assert gate.flaw is Flaw.REPEATED_SEALER


@pytest.mark.parametrize("turns", [(0, 1), (1, 0), (0, 0, 1), (3, 4)])
def test_a_fork_by_two_keys_of_five_opens_nothing(turns: tuple[int, ...]) -> None:
    """In whatever order they seal."""
    chain = sold_chain(5)
    fork = chain.fork()
    for number in range(24):
        fork.seal(by=chain.sealers[turns[number % len(turns)]], state=FORGED)
    gate = gate_at(fork, chain, now=fork.head.timestamp)
    assert not gate.try_to_open()
    assert gate.flaw in (Flaw.REPEATED_SEALER, Flaw.TOO_FEW_SEALERS)


@pytest.mark.parametrize("between", [1, 2, 3, 5])
@pytest.mark.parametrize("liars", [1, 2])
def test_strangers_between_the_seals_of_a_minority_help_nothing(liars: int, between: int) -> None:
    """They link, and do not count."""
    chain = sold_chain(5)
    fork = chain.fork()
    for number in range(24):
        mine = number % (between + 1) == 0
        key = chain.sealers[(number // (between + 1)) % liars] if mine else STRANGERS[number]
        fork.seal(by=key, state=FORGED)
    fork.seal(by=chain.sealers[0], state=FORGED)
    gate = gate_at(fork, chain, now=fork.head.timestamp)
    assert not gate.try_to_open()


def test_a_chain_of_strangers_is_another_chain() -> None:
    """Not one known seal: the configured sealers are wrong, or the chain is."""
    chain = sold_chain()
    foreign = Chain(STRANGERS[:3], start=FORGED)
    foreign.seal(20)
    gate = gate_at(foreign, chain)
    assert not gate.try_to_open()
    assert gate.flaw is Flaw.OTHER_CHAIN
    forgetful = Memory(replace(checkpoint_of(chain), hash=None))
    gate = gate_at(foreign, chain, now=foreign.head.timestamp, memory=forgetful)
    assert not gate.try_to_open()
    assert (gate.flaw, gate.reason) == (Flaw.UNKNOWN_SEALERS, Reason.SEALERS_UNKNOWN)


def test_a_stale_but_valid_picture_of_the_past_opens_nothing() -> None:
    """It was Releasing; then it was aborted. The gateway shows the past."""
    past = sold_chain()
    past.seal(8, state=FORGED)
    present = past.fork()
    present.seal(60, state=sealing.world(sealing.SOLD))
    gate = gate_at(past, present)
    assert not gate.try_to_open()
    assert (gate.flaw, gate.reason) == (Flaw.HEAD_STALE, Reason.CHAIN_STALE)
    memory = Memory(checkpoint_of(past)).with_head(sealing.seen(present.head))
    gate = gate_at(past, present, now=past.head.timestamp, memory=memory)
    assert not gate.try_to_open()
    assert gate.flaw in (Flaw.HEAD_WENT_BACK, Flaw.CLOCK_BEHIND)


@pytest.mark.parametrize("keys", [STRANGERS[:12], STRANGERS[:1]])
def test_strangers_cannot_make_a_stale_picture_fresh(keys: list[PrivateKey]) -> None:
    """Anybody can put headers with today's time on an old row."""
    past = sold_chain()
    past.seal(8, state=FORGED)
    now = past.head.timestamp + 600
    for number in range(7):
        past.seal(by=keys[number % len(keys)], timestamp=minimal(now - 10 + number))
    gate = gate_at(past, past, now=now)
    assert not gate.try_to_open()
    assert gate.flaw is Flaw.STRANGER_HEAD


@pytest.mark.parametrize("strangers", [0, 1, 6])
def test_one_lying_sealer_cannot_make_a_stale_picture_fresh(strangers: int) -> None:
    """Its seal with today's time counts, and is one of two that must be fresh."""
    past = sold_chain()
    past.seal(8, state=FORGED)
    now = past.head.timestamp + 600
    for number in range(strangers):
        past.seal(by=STRANGERS[number], timestamp=minimal(now - 10 + number))
    liar = next(key for key in past.sealers if sealing.address(key) != past.blocks[-1 - strangers].sealer)
    past.seal(by=liar, timestamp=minimal(now))
    gate = gate_at(past, past, now=now)
    assert not gate.try_to_open()
    assert gate.flaw in (Flaw.HEAD_STALE, Flaw.TOO_FEW_SEALERS)


def test_strangers_do_not_make_a_release_deep() -> None:
    """Depth counts the known sealers' blocks only."""
    chain = sold_chain()
    chain.seal(2, state=FORGED)
    for number in range(2):
        chain.seal(by=STRANGERS[number])
    chain.seal()
    gate = gate_at(chain, chain)
    assert gate.verifier.verify_releasing(sealing.SALE, 0, 7, 3).reason is Reason.NOT_RELEASED
    assert not gate.try_to_open()


@pytest.mark.parametrize(
    ("offset", "flaw", "reason"),
    [
        (-6, Flaw.HEAD_IN_FUTURE, Reason.CLOCK_WRONG),
        (-60, Flaw.CLOCK_BEHIND, Reason.CLOCK_WRONG),
        (-3_600, Flaw.CLOCK_BEHIND, Reason.CLOCK_WRONG),
        (-31_536_000, Flaw.CLOCK_BEHIND, Reason.CLOCK_WRONG),
        (31, Flaw.HEAD_STALE, Reason.CHAIN_STALE),
        (60, Flaw.HEAD_STALE, Reason.CHAIN_STALE),
        (3_600, Flaw.HEAD_STALE, Reason.CHAIN_STALE),
        (31_536_000, Flaw.HEAD_STALE, Reason.CHAIN_STALE),
    ],
)
def test_a_clock_that_is_off_is_named(offset: int, flaw: Flaw, reason: Reason) -> None:
    """By a little, a minute, an hour, a year, either way."""
    chain = sold_chain()
    chain.seal(8, state=FORGED)
    gate = gate_at(chain, chain, now=chain.head.timestamp + offset)
    assert not gate.try_to_open()
    assert (gate.flaw, gate.reason) == (flaw, reason)


def test_a_block_that_hurries_is_refused() -> None:
    """The period is the genesis's."""
    chain = sold_chain()
    chain.seal(3, state=FORGED)
    chain.seal(1, timestamp=minimal(chain.head.timestamp))
    chain.seal(1)
    gate = gate_at(chain, chain)
    assert not gate.try_to_open()
    assert gate.flaw is Flaw.TOO_EARLY


def test_a_head_that_goes_back_is_refused() -> None:
    """Lower than what this device has verified."""
    chain = sold_chain()
    chain.seal(8, state=FORGED)
    gate = gate_at(chain, chain)
    assert gate.try_to_open()
    back = chain.fork()
    del back.blocks[-1], back.worlds[-1]
    gate.verifier.prover.call = Node(back)
    assert not gate.try_to_open()
    assert (gate.flaw, gate.opened) == (Flaw.HEAD_WENT_BACK, 1)


def test_a_release_that_was_reorganised_between_verdict_and_pulse_opens_nothing() -> None:
    """Proven at depth N, gone at depth k: two rows at one height, both kept as evidence."""
    chain = sold_chain()
    released = chain.fork()
    released.seal(6, state=FORGED)
    other = chain.fork()
    other.seal(7)
    alarms: list[Any] = []
    gate = gate_at(released, chain, now=released.head.timestamp)
    prover = gate.verifier.prover
    prover._report = alarms.append
    asked = 0

    def switching(batch: Any) -> list[object]:
        nonlocal asked
        asked += len(batch) == 1
        return Node(released if asked <= 2 else other)(batch)

    prover.call = switching
    assert not gate.try_to_open()
    assert gate.reason is Reason.NOT_RELEASED
    assert {alarm.kind.value for alarm in alarms} == {"fork"}
    assert all(len(alarm.evidence["headers"]) == 2 for alarm in alarms)


def test_a_liar_on_both_sides_of_a_partition_deceives_the_default_and_not_three_of_three() -> None:
    """The liar seals with A on one side and with B on the other: both rows hold a majority."""
    chain = sold_chain()
    a, liar, b = chain.sealers
    cut_off = chain.fork()
    for number in range(8):
        cut_off.seal(by=(liar, a)[number % 2], state=FORGED)
        chain.seal(by=(liar, b)[number % 2])
    careful = replace(TRUST, rules=SealRules(1, 30_000, distinct_sealers=3))
    deceived, safe = (gate_at(cut_off, chain, trust=trust) for trust in (TRUST, careful))
    assert deceived.try_to_open()
    assert not safe.try_to_open()
    assert safe.flaw is Flaw.TOO_FEW_SEALERS or safe.reason is Reason.NOT_RELEASED
    assert not gate_at(chain, chain, trust=careful).try_to_open()


def test_a_sale_that_was_released_on_a_chain_with_other_sealers_keys_opens_nothing() -> None:
    """The same number of blocks, the same times, another chain."""
    chain = sold_chain()
    other = Chain(sealing.keyring(3, "other"), start=FORGED)
    other.seal(12)
    gate = gate_at(chain, chain)
    gate.verifier.prover.call = Liar(Node(chain), lambda method, params, _: Node(other).answer(method, params))
    assert not gate.try_to_open()


def test_a_header_whose_seal_was_taken_from_another_block_is_refused() -> None:
    """A genuine signature over something else."""
    chain = sold_chain()
    chain.seal(2, state=FORGED)
    for _ in range(4):
        header = chain.seal(state=FORGED)
        items = list(header.items)
        items[sealing.ITEM["extraData"]] = header.extra[:-65] + chain.blocks[5].extra[-65:]
        chain.blocks[-1] = type(header)(tuple(items))
    gate = gate_at(chain, chain)
    assert not gate.try_to_open()


def test_a_seal_that_is_no_signature_is_refused() -> None:
    """Zeros, a wild recovery id, a point that is not on the curve."""
    for seal in (bytes(65), b"\x11" * 64 + b"\x05", b"\xff" * 64 + b"\x00"):
        chain = sold_chain()
        header = chain.seal(state=FORGED)
        items = list(header.items)
        items[sealing.ITEM["extraData"]] = header.extra[:-65] + seal
        chain.blocks[-1] = type(header)(tuple(items))
        gate = gate_at(chain, chain)
        assert not gate.try_to_open()
        assert gate.flaw is Flaw.BAD_SEAL


def test_a_node_that_has_pruned_the_state_is_named() -> None:
    """With what to do about it."""
    from contracts.batch import RpcError

    chain = sold_chain()
    gate = gate_at(chain, chain)
    gone = RpcError(-32000, "missing trie node 8a1c (path ) state 0x8a1c is not available")
    gate.verifier.prover.call = Liar(Node(chain), method_only("eth_getProof", lambda _: gone))
    assert not gate.try_to_open()
    assert (gate.flaw, gate.reason) == (Flaw.PRUNED, Reason.CHAIN_UNREACHABLE)
    assert "archive" in gate.refusals[-1].detail


def test_wrong_sealers_in_the_configuration_are_named() -> None:
    """Nobody of them seals here."""
    chain = sold_chain(blocks=20)
    known = Memory(Checkpoint.configured(["0x" + "12" * 20, "0x" + "34" * 20, "0x" + "56" * 20], chain.head.timestamp))
    gate = gate_at(chain, chain, memory=known)
    assert not gate.try_to_open()
    assert (gate.flaw, gate.reason) == (Flaw.UNKNOWN_SEALERS, Reason.SEALERS_UNKNOWN)
    assert "configured sealers are wrong" in gate.refusals[-1].detail


def test_a_checkpoint_of_another_chain_is_named() -> None:
    """Its block is not this chain's."""
    chain = sold_chain()
    known = Memory(replace(checkpoint_of(chain), hash=b"\x01" * 32))
    gate = gate_at(chain, chain, memory=known)
    assert not gate.try_to_open()
    assert (gate.flaw, gate.reason) == (Flaw.OTHER_CHAIN, Reason.SEALERS_UNKNOWN)


def test_every_forged_header_here_is_really_signed() -> None:
    """The forger's key is found in its seal."""
    chain = sold_chain()
    header = chain.seal(by=STRANGERS[0])
    assert header.sealer == sealing.address(STRANGERS[0])
    assert sign(header, chain.sealers[0]).sealer == sealing.address(chain.sealers[0])
