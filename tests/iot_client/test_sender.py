"""The device's own transactions: one nonce each, again until mined, dearer when the fees have risen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes

from contracts.calls import Call
from iot_client.chain import sender as module
from iot_client.chain.node import Head, Mined
from iot_client.chain.sender import Fate, Sender, raised
from iot_client.journal import Journal, Key

KEY = Key(1337, "0x" + "ab" * 20, 0)
CALL = Call(to_checksum_address("0x" + "ab" * 20), HexBytes("0x1234"), gas=90_000)


@dataclass
class Pool:
    """A node that mines what a test wants."""

    base_fee: int = 100
    used: int = 5
    mined_hash: str = ""
    sent: list[bytes] = field(default_factory=list)

    def head(self) -> Head:
        """The newest block."""
        return Head(100, 0, self.base_fee)

    def nonce(self) -> int:
        """The next one."""
        return self.used

    def send(self, raw: bytes) -> None:
        """Noted."""
        self.sent.append(raw)

    def mined(self, hash_: str) -> Mined | None:
        """Deep, if it is the one."""
        return Mined(50, True) if hash_ == self.mined_hash else None


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal."""
    made = Journal(tmp_path / "journal.sqlite")
    yield made
    made.close()


@pytest.fixture
def pool() -> Pool:
    """A node."""
    return Pool()


@pytest.fixture
def sender(pool: Pool, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Sender:
    """A sender that sends again at once."""
    monkeypatch.setattr(module, "RESEND_S", -1.0)
    return Sender(cast("Any", pool), Account.from_key(b"\x05" * 32), journal, 1337)


def fields(raw: bytes) -> dict[str, Any]:
    """What a raw transaction says."""
    return TypedTransaction.from_bytes(HexBytes(raw)).as_dict()


def test_what_is_not_mined_is_sent_again_as_it_was(sender: Sender, pool: Pool) -> None:
    """Byte for byte, while its fee still pays."""
    sending = sender.issue("complete", CALL, KEY)
    assert sender.follow(sending, 3) is Fate.PENDING
    assert len(set(pool.sent)) == 1
    assert len(pool.sent) == 2


def test_risen_fees_are_met_with_the_same_call_and_nonce(sender: Sender, pool: Pool, journal: Journal) -> None:
    """A tenth more at least, as pools want it; the journal holds the newer one, and one nonce was used."""
    sender.issue("complete", CALL, KEY)
    pool.base_fee = 10**12
    (sending,) = journal.sendings()
    assert sender.follow(sending, 3) is Fate.PENDING
    first, second = map(fields, pool.sent)
    assert {name: first[name] for name in ("to", "data", "nonce", "gas", "value", "chainId")} == {
        name: second[name] for name in ("to", "data", "nonce", "gas", "value", "chainId")
    }
    assert second["maxPriorityFeePerGas"] >= first["maxPriorityFeePerGas"] * 11 // 10
    assert second["maxFeePerGas"] >= max(first["maxFeePerGas"] * 11 // 10, pool.base_fee)
    (newer,) = journal.sendings()
    assert (newer.nonce, newer.hash != sending.hash) == (sending.nonce, True)
    pool.mined_hash = newer.hash
    assert sender.follow(newer, 3) is Fate.MINED


def test_a_replaced_one_that_was_mined_after_all_is_no_failure_at_once(
    sender: Sender, pool: Pool, journal: Journal
) -> None:
    """Its nonce is used by the older one: the proof is asked, and nothing with another nonce is sent."""
    sender.issue("complete", CALL, KEY)
    pool.base_fee = 10**12
    (sending,) = journal.sendings()
    sender.follow(sending, 3)
    pool.mined_hash, pool.used = sending.hash, sending.nonce + 1
    (newer,) = journal.sendings()
    assert sender.follow(newer, 3) is Fate.PENDING
    assert {fields(raw)["nonce"] for raw in pool.sent} == {sending.nonce}


def test_fees_that_pay_are_left_alone(sender: Sender, pool: Pool) -> None:
    """Nothing is raised for impatience."""
    sender.issue("complete", CALL, KEY)
    assert raised(pool.sent[0], 2 * pool.base_fee) is None
    assert raised(pool.sent[0], 2 * pool.base_fee + 1) is not None
