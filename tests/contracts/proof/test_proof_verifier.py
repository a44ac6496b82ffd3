"""The verifier that believes the sealers, on an honest chain."""

from __future__ import annotations

import pytest
from eth_account import Account

from contracts.proof_verifier import ProofVerifier
from contracts.sale_state import SaleState, Status
from contracts.verdict import Reason
from contracts.voucher import sign_voucher
from tests.contracts.proof import sealing
from tests.contracts.proof.conftest import prover_of
from tests.contracts.proof.sealing import Chain, Node

OWNER = Account.from_key(bytes(31) + b"\x07")
YEAR_S = 31_536_000


def voucher(attempt: int = 0, owner=OWNER, expires_at: int = sealing.GENESIS_TIME + YEAR_S):
    """A voucher for the sale."""
    return sign_voucher(owner, chain_id=sealing.CHAIN_ID, sale=sealing.SALE, attempt=attempt, expires_at=expires_at)


def chain_with(state: SaleState, sealers: int = 3, blocks: int = 12) -> Chain:
    """A chain whose sale stands there from its first block on."""
    made = Chain(sealing.keyring(sealers), start=sealing.world(state))
    made.seal(blocks)
    return made


def sold(attempt: int = 0, refundable_at: int = 0) -> SaleState:
    """Sold to the owner."""
    return SaleState(Status.SOLD, OWNER.address, attempt, refundable_at, 0)


@pytest.mark.row("M23", "I5")
def test_an_owned_sale_is_accepted_with_state_terms_block_and_depth() -> None:
    """What is proven comes with the verdict."""
    chain = chain_with(sold())
    verdict = ProofVerifier(prover_of(Node(chain)), site=1).verify_owned(voucher(), depth=1)
    assert (verdict.accepted, verdict.reason) == (True, Reason.OWNED)
    assert (verdict.state, verdict.terms) == (sold(), sealing.TERMS)
    assert (verdict.block, verdict.depth, verdict.answered_by) == (11, 1, "proof")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (SaleState(Status.LISTED, "0x" + "00" * 20, 0, 0, 0), Reason.NOT_PAID),
        (SaleState(Status.RELEASING, OWNER.address, 0, 0, 7), Reason.BEING_RELEASED),
        (SaleState(Status.RELEASED, OWNER.address, 0, 0, 7), Reason.ALREADY_COLLECTED),
        (SaleState(Status.CANCELLED, "0x" + "00" * 20, 0, 0, 0), Reason.CANCELLED),
        (SaleState(Status.REFUNDED, OWNER.address, 0, 5, 0), Reason.REFUNDED),
        (SaleState(Status.SOLD, sealing.STRANGER, 0, 0, 0), Reason.WRONG_BUYER),
        (sold(attempt=1), Reason.VOUCHER_REPLACED),
        (sold(refundable_at=sealing.GENESIS_TIME + 5), Reason.REFUND_BEGUN),
    ],
)
def test_every_other_state_is_refused_with_its_reason(state: SaleState, reason: Reason) -> None:
    """The reason is the state's."""
    verdict = ProofVerifier(prover_of(Node(chain_with(state))), site=1).verify_owned(voucher(), depth=1)
    assert (verdict.accepted, verdict.reason) == (False, reason)


def test_an_expired_voucher_a_wrong_signature_and_another_site_are_refused() -> None:
    """Each with its reason."""
    verifier = ProofVerifier(prover_of(Node(chain_with(sold()))), site=1)
    old = voucher(expires_at=sealing.GENESIS_TIME + 12)
    assert verifier.verify_owned(old, depth=1).reason is Reason.EXPIRED
    forged = sign_voucher(
        Account.from_key(b"\x09" * 32), chain_id=sealing.CHAIN_ID, sale=sealing.SALE, attempt=0, expires_at=2**39
    )
    object.__setattr__(forged, "buyer", OWNER.address)
    assert verifier.verify_owned(forged, depth=1).reason is Reason.BAD_SIGNATURE
    elsewhere = ProofVerifier(verifier.prover, site=2)
    assert elsewhere.verify_owned(voucher(), depth=1).reason is Reason.OTHER_SITE


def test_a_voucher_of_another_chain_is_refused_without_asking() -> None:
    """No request goes out."""
    node = Node(chain_with(sold()))
    foreign = sign_voucher(OWNER, chain_id=5, sale=sealing.SALE, attempt=0, expires_at=2**39)
    assert ProofVerifier(prover_of(node)).verify_owned(foreign, 1).reason is Reason.OTHER_CHAIN
    assert node.batches == []


@pytest.mark.parametrize("sealers", [1, 3, 5, 7])
def test_two_batches_suffice_at_any_number_of_sealers(sealers: int) -> None:
    """The head, then all the rest; the checkpoint's own block is asked for once, at first."""
    node = Node(chain_with(sold(), sealers, blocks=30))
    verifier = ProofVerifier(prover_of(node), site=1)
    assert verifier.verify_owned(voucher(), depth=sealers // 2).accepted
    assert verifier.verify_owned(voucher(), depth=sealers).accepted
    assert [len(batch) for batch in node.batches[-2:]] == [1, 2 + 2 + sealers + 1]
    assert len(node.batches) == 5


@pytest.mark.parametrize(
    ("attempt", "device", "reason"),
    [(0, 7, Reason.RELEASING), (1, 7, Reason.OTHER_ATTEMPT), (0, 8, Reason.OTHER_DEVICE)],
)
def test_a_release_counts_for_its_device_and_attempt_only(attempt: int, device: int, reason: Reason) -> None:
    """Another door's release, or an earlier one, opens nothing."""
    verifier = ProofVerifier(prover_of(Node(chain_with(sealing.RELEASING))), site=1)
    for depth in (1, 3):
        verdict = verifier.verify_releasing(sealing.SALE, attempt, device, depth)
        assert (verdict.accepted, verdict.reason) == (reason is Reason.RELEASING, reason)


def test_a_completed_release_is_confirmed() -> None:
    """Released by this device for this attempt."""
    done = SaleState(Status.RELEASED, OWNER.address, 2, 0, 7)
    verifier = ProofVerifier(prover_of(Node(chain_with(done))))
    assert verifier.verify_completed(sealing.SALE, 2, 7, 3).accepted
    assert not verifier.verify_completed(sealing.SALE, 2, 8, 3).accepted
    assert not verifier.verify_releasing(sealing.SALE, 2, 7, 3).accepted


def test_no_answer_is_a_reason_not_an_exception() -> None:
    """The verifier never raises."""

    def dead(_: object) -> list[object]:
        raise ConnectionRefusedError("nobody listens")

    prover = prover_of(Node(chain_with(sold())))
    prover.call = dead
    verdict = ProofVerifier(prover).verify_owned(voucher(), 1)
    assert (verdict.accepted, verdict.reason) == (False, Reason.CHAIN_UNREACHABLE)
    assert "nobody listens" in verdict.detail
