"""The walk from epoch to epoch: followed with honest sealers, refused with slipped lists and retired keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from coincurve import PrivateKey

from contracts.epochs import Checkpoint, adopt, check_age, epochs_between, walk
from contracts.follow import follow
from contracts.memory import Memory
from contracts.proof import Trust
from contracts.proof_errors import CheckpointError, Flaw, HeaderError, ProofError
from contracts.proof_verifier import ProofVerifier
from contracts.prover import Prover
from contracts.seals import SealRules
from contracts.verdict import Reason
from tests.contracts.proof import sealing
from tests.contracts.proof.lying import Gate
from tests.contracts.proof.sealing import Chain, Node

EPOCH = 10
RULES = SealRules(1, EPOCH)
TRUST = Trust((sealing.DEPLOYMENT,), RULES)
KEYS = sealing.keyring(8)
FORGED = sealing.world(sealing.RELEASING)


def voted_chain(lists: list[list[PrivateKey]], blocks: int = EPOCH - 3) -> Chain:
    """A chain whose sealers change at every epoch block."""
    made = Chain(_sorted(lists[0]), epoch=EPOCH, start=sealing.world(sealing.SOLD))
    for keys in [*lists[1:], lists[-1]]:
        made.seal(EPOCH - 1 if made.head.number % EPOCH == 0 else EPOCH)
        made.sealers = _sorted(keys)
        made.seal(1)
    made.seal(blocks)
    return made


def _sorted(keys: list[PrivateKey]) -> list[PrivateKey]:
    return sorted(keys, key=sealing.address)


def start_of(chain: Chain) -> Checkpoint:
    """The genesis as a checkpoint."""
    return Checkpoint.of(chain.blocks[0])


def gate_at(shown: Chain, memory: Memory, trust: Trust = TRUST, now: int | None = None) -> Gate:
    """A gate that remembers this and is shown that."""
    clock = now if now is not None else shown.head.timestamp
    return Gate(ProofVerifier(Prover(Node(shown), trust, memory, clock=lambda: clock, pause=lambda _: None), site=1))


@pytest.mark.row("T7")
def test_one_replaced_sealer_an_epoch_is_followed_until_none_of_the_first_is_left() -> None:
    """Each list is vouched for by a majority of the one before."""
    chain = voted_chain([KEYS[start : start + 3] for start in range(6)])
    found = follow(Node(chain), start_of(chain), chain.head.number, RULES)
    assert set(found.sealers) == {sealing.address(key) for key in KEYS[5:8]}
    assert not set(found.sealers) & set(start_of(chain).sealers)


@pytest.mark.parametrize("counts", [(3, 5, 5), (5, 3, 3), (3, 4, 3), (1, 2, 3), (7, 5, 3)])
def test_growing_and_shrinking_lists_are_followed(counts: tuple[int, ...]) -> None:
    """The number of sealers may change with every epoch."""
    chain = voted_chain([KEYS[:count] for count in counts])
    found = follow(Node(chain), start_of(chain), chain.head.number, RULES)
    assert found.sealers == chain.addresses
    assert found.number == chain.head.number - chain.head.number % EPOCH


def test_a_sealer_may_rest_less_where_the_list_has_become_shorter() -> None:
    """A, B, A is good Clique with three sealers, and no majority of five; the row grows until C is in it."""
    chain = Chain(_sorted(KEYS[:5]), epoch=EPOCH)
    chain.seal(EPOCH - 1)
    chain.sealers = _sorted(KEYS[:3])
    for number in (0, 1, 0, 1, 2, 0):
        chain.seal(by=chain.sealers[number])
    assert follow(Node(chain), start_of(chain), chain.head.number, RULES).sealers == chain.addresses


def test_a_device_that_was_off_for_a_hundred_epochs_catches_up() -> None:
    """In batches; every step is checked."""
    chain = voted_chain([KEYS[:3]] * 100)
    node = Node(chain)
    assert follow(node, start_of(chain), chain.head.number, RULES).number == chain.head.number // EPOCH * EPOCH
    assert all(len(batch) <= 32 for batch in node.batches)


def test_a_list_that_slips_a_sealer_in_is_refused() -> None:
    """The epoch block is changed, its seal is not its sealer's any more; or a minority signs it."""
    chain = voted_chain([KEYS[:3]] * 2)
    for sealers in (KEYS[:3], [KEYS[0]], [KEYS[0], KEYS[7]]):
        fork = chain.fork()
        del fork.blocks[2 * EPOCH :], fork.worlds[2 * EPOCH :]
        listed = b"".join(sorted(sealing.address(key) for key in (*KEYS[:3], KEYS[7])))
        for number in range(12):
            extra = {"extraData": bytes(32) + listed + bytes(65)} if number == 0 else {}
            signer = sealers[number % len(sealers)] if sealers != KEYS[:3] else KEYS[7]
            fork.seal(by=signer, state=FORGED, **extra)
        with pytest.raises(ProofError):
            follow(Node(fork), start_of(chain), fork.head.number, RULES)
        gate = gate_at(fork, Memory(start_of(chain)))
        assert not gate.try_to_open()


def test_a_changed_list_under_a_genuine_seal_is_refused() -> None:
    """The seal then belongs to nobody that is known."""
    chain = voted_chain([KEYS[:3]] * 2)
    block = chain.blocks[EPOCH]
    items = list(block.items)
    items[sealing.ITEM["extraData"]] = block.extra[:32] + sealing.address(KEYS[7]) * 3 + block.extra[-65:]
    chain.blocks[EPOCH] = type(block)(tuple(items))
    with pytest.raises(HeaderError) as refused:
        follow(Node(chain), start_of(chain), chain.head.number, RULES)
    assert refused.value.flaw is Flaw.NOT_LINKED


@pytest.mark.parametrize(
    "listed",
    [
        b"",
        bytes(19),
        sealing.address(KEYS[0]) * 2,
        sealing.address(KEYS[2]) + sealing.address(KEYS[0]),
        b"".join(bytes([number]) * 20 for number in range(101)),
    ],
)
def test_a_list_that_is_none_is_refused(listed: bytes) -> None:
    """Empty, torn, doubled, unsorted, too long: also when a majority signed it."""
    chain = Chain(_sorted(KEYS[:3]), epoch=EPOCH)
    chain.seal(EPOCH - 1)
    chain.seal(1, extraData=bytes(32) + listed + bytes(65))
    chain.seal(3)
    with pytest.raises(ProofError):
        follow(Node(chain), start_of(chain), chain.head.number, RULES)


@pytest.mark.parametrize("fields", [{"miner": b"\x01" * 20}, {"nonce": b"\xff" * 8}])
def test_an_epoch_block_carries_no_vote(fields: dict[str, bytes]) -> None:
    """Clique's own rule."""
    chain = Chain(_sorted(KEYS[:3]), epoch=EPOCH)
    chain.seal(EPOCH - 1)
    chain.seal(1, **fields)
    chain.seal(3)
    with pytest.raises(HeaderError) as refused:
        follow(Node(chain), start_of(chain), chain.head.number, RULES)
    assert refused.value.flaw is Flaw.BAD_EPOCH


def test_a_list_that_was_replaced_at_once_leaves_a_device_behind_and_it_says_so() -> None:
    """No majority of the known sealers is left: a new checkpoint is needed."""
    chain = voted_chain([KEYS[:3], [KEYS[0], *KEYS[4:7]]], blocks=20)
    gate = gate_at(chain, Memory(start_of(chain)))
    assert not gate.try_to_open()
    assert (gate.flaw, gate.reason) == (Flaw.SEALERS_AGED, Reason.SEALERS_UNKNOWN)
    assert "new checkpoint" in gate.refusals[-1].detail


def test_keys_of_retired_sealers_cannot_walk_on_from_an_old_checkpoint() -> None:
    """They can forge what came after it; so a device believes no checkpoint older than 30 days."""
    honest = voted_chain([KEYS[start : start + 3] for start in range(6)])
    old = start_of(honest)
    forged = Chain(_sorted(KEYS[:3]), epoch=EPOCH, start=FORGED, at=old.timestamp)
    forged.blocks[0] = honest.blocks[0]
    month = 31 * 86_400
    forged.seal(1, timestamp=sealing.minimal(old.timestamp + month))
    forged.seal(3 * EPOCH)
    late = replace(TRUST, max_checkpoint_age_s=30 * 86_400)
    remembered = follow(Node(honest), old, honest.head.number, RULES)
    gate = gate_at(forged, Memory(remembered), late)
    assert not gate.try_to_open()
    with pytest.raises(CheckpointError) as refused:
        check_age(old, forged.head.timestamp, late.max_checkpoint_age_s)
    assert refused.value.flaw is Flaw.CHECKPOINT_OLD


def test_a_device_that_slept_too_long_asks_for_a_new_checkpoint_before_it_walks() -> None:
    """Whatever the gateway shows, walking would refresh the age of what must not be believed."""
    forged = Chain(_sorted(KEYS[:3]), epoch=EPOCH, start=FORGED)
    forged.seal(1, timestamp=sealing.minimal(sealing.GENESIS_TIME + 31 * 86_400))
    forged.seal(3 * EPOCH)
    gate = gate_at(forged, Memory(start_of(forged)))
    assert not gate.try_to_open()
    assert (gate.flaw, gate.reason) == (Flaw.CHECKPOINT_OLD, Reason.SEALERS_UNKNOWN)


def test_an_expelled_sealer_counts_no_more_after_the_next_epoch_block() -> None:
    """Its seal is a stranger's then."""
    chain = voted_chain([KEYS[:5], KEYS[1:5]])
    known = follow(Node(chain), start_of(chain), chain.head.number, RULES)
    assert sealing.address(KEYS[0]) not in known.sealers
    chain.seal(by=KEYS[0])
    gate = gate_at(chain, Memory(known))
    assert not gate.try_to_open()
    assert gate.flaw is Flaw.STRANGER_HEAD


def test_configured_sealers_take_the_newest_list_that_they_vouch_for() -> None:
    """They may be younger than the first epochs; no list before them is asked for."""
    chain = voted_chain([KEYS[start : start + 3] for start in range(6)])
    told = Checkpoint.configured(chain.addresses, chain.head.timestamp)
    node = Node(chain)
    found = follow(node, told, chain.head.number, RULES)
    assert (found.number, found.sealers) == (chain.head.number // EPOCH * EPOCH, chain.addresses)
    assert sum(map(len, node.batches)) == 2


def test_no_epoch_block_may_be_passed_over_or_come_twice() -> None:
    """The walk names the next one."""
    chain = voted_chain([KEYS[:3]] * 4)
    rows = [chain.blocks[number : number + 2] for number in range(EPOCH, 4 * EPOCH, EPOCH)]
    assert walk(start_of(chain), rows, RULES).number == 3 * EPOCH
    for wrong in (rows[1:], [rows[0], rows[0]], [rows[1], rows[0]], [[]], [chain.blocks[11:13]]):
        with pytest.raises(CheckpointError) as refused:
            walk(start_of(chain), wrong, RULES)
        assert refused.value.flaw is Flaw.OTHER_BLOCK


def test_an_epoch_block_without_enough_blocks_on_top_waits() -> None:
    """The device goes on with the list it knows."""
    chain = Chain(_sorted(KEYS[:3]), epoch=EPOCH, start=FORGED)
    chain.seal(EPOCH)
    memory = Memory(start_of(chain))
    gate = gate_at(chain, memory)
    assert gate.try_to_open()
    assert gate.verifier.prover.memory.checkpoint.number == 0
    chain.seal(1)
    gate = gate_at(chain, memory)
    assert gate.try_to_open()
    assert gate.verifier.prover.memory.checkpoint.number == EPOCH


def test_the_epoch_blocks_to_follow_are_counted_from_the_checkpoint() -> None:
    """Those with enough blocks on top."""
    known = start_of(Chain(_sorted(KEYS[:3]), epoch=EPOCH))
    assert list(epochs_between(known, 9, EPOCH)) == []
    assert list(epochs_between(known, 10, EPOCH)) == [10]
    assert list(epochs_between(known, 10, EPOCH, 1)) == []
    assert list(epochs_between(known, 35, EPOCH, 1)) == [10, 20, 30]
    told = replace(known, hash=None)
    assert list(epochs_between(told, 35, EPOCH, 1)) == [30]
    assert list(epochs_between(told, 9, EPOCH, 1)) == []
    with pytest.raises(CheckpointError):
        adopt(known, [], RULES)
