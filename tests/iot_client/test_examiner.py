"""What is checked before anything is sent: clock, chain's age, deadline, money; each with a stand-in for the chain."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from contracts.sale_state import SaleState, Status
from contracts.verdict import Reason, Verdict
from contracts.voucher import Voucher
from iot_client.chain.examiner import REFUSALS, Examiner, Refused
from iot_client.chain.node import Head, Node
from iot_client.chain.sender import Sender
from iot_client.reasons import LINES, Refusal, line_for
from iot_client.settings import PiSettings, load_settings
from tests.iot_client.test_settings import GOOD, write

SALE, BUYER = "0x" + "ab" * 20, "0x" + "cd" * 20
NOW = 1_800_000_000


@dataclass
class Chain:
    """Answers what a test wants."""

    timestamp: int = NOW
    balance_wei: int = 10**18
    refundable_at: int = 0

    def head(self) -> Head:
        """The newest block."""
        return Head(100, self.timestamp, 7)

    def balance(self) -> int:
        """The device's."""
        return self.balance_wei

    def verify_owned(self, voucher: Voucher, depth: int) -> Verdict:
        """Owned."""
        state = SaleState(Status.SOLD, cast("Any", BUYER), 0, self.refundable_at, 0)
        return Verdict(True, Reason.OWNED, voucher.sale, state, None, 99, depth, "test")


@pytest.fixture
def settings(tmp_path: Path) -> PiSettings:
    """A good configuration."""
    return load_settings(write(tmp_path / "config.toml", GOOD))


def examined(settings: PiSettings, chain: Chain) -> Refused:
    """The refusal of a good voucher by a door whose clock says `NOW`."""
    voucher = Voucher(1337, cast("Any", SALE), cast("Any", BUYER), NOW + 9_999, b"\1" * 65)
    examiner = Examiner(settings, cast("Any", chain), cast("Node", chain), cast("Sender", None), now=lambda: NOW)
    found = examiner.examine(voucher)
    assert isinstance(found, Refused)
    return found


@pytest.mark.parametrize(
    ("chain", "refusal"),
    [
        (Chain(timestamp=NOW + 3_600), Refusal.CLOCK_WRONG),
        (Chain(timestamp=NOW - 3_600), Refusal.CHAIN_STALE),
        (Chain(balance_wei=1), Refusal.LOW_BALANCE),
        (Chain(refundable_at=NOW + 60), Refusal.REFUND_BEGUN),
    ],
)
def test_what_cannot_be_finished_is_refused(settings: PiSettings, chain: Chain, refusal: Refusal) -> None:
    """A clock off by an hour, a stale chain, an empty purse, a near deadline: each its own reason."""
    assert examined(settings, chain).refusal is refusal


def test_every_reason_of_a_verdict_has_a_refusal() -> None:
    """Nothing that a verifier can say is left without words."""
    assert set(REFUSALS) | {Reason.OWNED, Reason.RELEASING} == set(Reason)


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_says_what_and_what_to_do(refusal: Refusal) -> None:
    """One line: what is wrong, its detail, and what the person can do."""
    line = line_for(refusal, "site 7")
    assert LINES[refusal].says in line
    assert LINES[refusal].do in line
    assert "(site 7)" in line
    assert len(line) < 140
