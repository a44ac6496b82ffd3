"""The genesis: its rules, and a hash that agrees with geth's."""

import pytest

from geth_network.errors import SettingsError
from geth_network.genesis import build_genesis, extra_data, genesis_hash
from tests.geth_network.chain import Chain

SEALERS = ["0x" + digit * 40 for digit in "b1a"]
RULES = {"chain_id": 20260, "period_s": 1, "epoch": 1000, "gas_limit": 30_000_000}


def test_sealers_stand_sorted_between_vanity_and_seal() -> None:
    """ExtraData is 32 bytes, the addresses in order, 65 bytes."""
    data = extra_data(SEALERS)
    assert len(data) == 32 + 3 * 20 + 65
    assert data[32:92].hex() == "1" * 40 + "a" * 40 + "b" * 40


def test_no_fork_after_london() -> None:
    """Geth would refuse to seal a chain that has a merge, Shanghai or Cancun in its rules."""
    config = build_genesis(**RULES, sealers=SEALERS, alloc_wei={})["config"]
    assert config["londonBlock"] == 0
    assert not {"shanghaiTime", "cancunTime", "terminalTotalDifficulty", "terminalTotalDifficultyPassed"} & set(config)


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [("chain_id", 0, "chain id"), ("chain_id", 2**53, "chain id"), ("period_s", 0, "period"),
     ("epoch", 1, "epoch"), ("gas_limit", 1, "gas limit")],
)  # fmt: skip
def test_rules_that_would_disappoint_are_refused(key: str, value: int, word: str) -> None:
    """The refusal names the value."""
    with pytest.raises(SettingsError, match=word):
        build_genesis(**RULES | {key: value}, sealers=SEALERS, alloc_wei={})


def test_each_balance_changes_the_hash() -> None:
    """The state root is part of the header."""
    hashes = {
        genesis_hash(build_genesis(**RULES, sealers=SEALERS, alloc_wei=alloc))
        for alloc in ({}, {SEALERS[0]: 1}, {SEALERS[0]: 2}, {SEALERS[0]: 1, SEALERS[1]: 1})
    }
    assert len(hashes) == 4


@pytest.mark.slow
@pytest.mark.row("B1")
def test_every_node_has_the_hash_that_was_computed(shared: Chain) -> None:
    """Geth's block 0 is ours, on all nodes."""
    expected = shared.network().genesis_hash
    assert {shared.block_hash(name, 0) for name in shared.names()} == {expected}
    assert shared.folder.read_ready()["genesis_hash"] == expected
