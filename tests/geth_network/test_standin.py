"""anvil and ganache in geth's place: the same command, the same files."""

import pytest

from geth_network import fund, status
from geth_network.amounts import ETHER
from geth_network.network import Kind
from tests.geth_network.chain import Chain

pytestmark = pytest.mark.slow
SOMEBODY, OTHER = "0x" + "91" * 20, "0x" + "92" * 20


@pytest.mark.row("T4")
@pytest.mark.parametrize("kind", [Kind.ANVIL, Kind.GANACHE])
def test_a_stand_in_serves_like_the_chain(chain: Chain, kind: Kind) -> None:
    """Chain id, allocated balances, payments from the treasury, blocks by the clock, status."""
    network = chain.new(kind=kind, alloc_wei={SOMEBODY: 7 * ETHER})
    with chain.up():
        ready, rpc = chain.folder.read_ready(), chain.rpc()
        assert int(rpc("eth_chainId"), 16) == ready["chain_id"] == network.chain_id
        assert ready["genesis_hash"] == rpc("eth_getBlockByNumber", "0x0", False)["hash"]
        assert fund.fund(chain.folder, SOMEBODY, ETHER).balance_wei == 8 * ETHER
        paid = fund.fund_all(chain.folder, {SOMEBODY: ETHER, OTHER: 2 * ETHER})
        assert [payment.balance_wei for payment in paid.values()] == [9 * ETHER, 2 * ETHER]
        (line,) = status.read_status(chain.folder)
        assert (line.node, line.state) == ("rpc-1", "up")
        assert line.head
    assert not chain.folder.ready.exists()


def test_nobody_joins_a_stand_in(chain: Chain, tmp_path: object) -> None:
    """What it cannot show, it says."""
    chain.new(kind=Kind.ANVIL)
    refused = chain.run("export", f"{tmp_path}/bundle.json", check=False)
    assert refused.returncode == 1
    assert "one node: nobody can join it" in refused.stderr
