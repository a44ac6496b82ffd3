"""One sealer of three with a clock that is ten seconds off."""

from pathlib import Path

import pytest

from tests.geth_network.chain import Chain, await_that
from tests.geth_network.skewed import clock_of, skewed_geth

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def program() -> Path:
    """A geth with an offset in Clique's clock."""
    return skewed_geth()


def sealed_by(chain: Chain, name: str, first: int, last: int) -> int:
    """How many of these blocks are one sealer's."""
    address = str(chain.network().node(name).address).lower()
    hashes = [chain.block_hash("rpc-1", number) for number in range(first, last + 1)]
    return [chain.ask("rpc-1")("clique_getSigner", found).lower() for found in hashes].count(address)


@pytest.mark.parametrize("offset_s", [10, -10])
def test_a_clock_ten_seconds_off_harms_its_owner_only(
    chain: Chain, program: Path, monkeypatch: pytest.MonkeyPatch, offset_s: int
) -> None:
    """The others go on by their clocks, the third seals nothing; set right, it has their chain and seals again.

    One that is ahead follows at once; one that is behind takes blocks for future ones, and follows when it can.
    """
    on_time = ["seller", "buyer", "rpc-1"]
    offset, geth = chain.home / "offset", chain.home / "geth"
    offset.write_text(str(offset_s))
    chain.new(rpc_nodes=1)
    geth.write_text(clock_of("operator", offset, program))
    geth.chmod(0o755)
    monkeypatch.setenv("LADING_CHAIN_GETH", str(geth))
    with chain.up():
        goal = chain.await_progress(*on_time, blocks=30)
        agreed = chain.await_agreement(goal, *on_time, *(["operator"] if offset_s > 0 else []))
        print(f"{offset_s} s: of 30 blocks {sealed_by(chain, 'operator', goal - 29, goal)} are the skewed sealer's")
        offset.write_text("0")
        chain.kill("operator")
        assert chain.await_agreement(goal) == agreed
        start = chain.await_progress()
        await_that(
            lambda: sealed_by(chain, "operator", start, chain.number("rpc-1")),
            "a block of the sealer whose clock is right",
        )
