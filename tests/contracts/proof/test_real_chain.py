"""A sale's life on five real nodes, proven at every step through one of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.alarms import Alarm, AlarmKind
from contracts.memory import read_memory, write_memory
from contracts.portable import Anchor, says, sealers_of, verify_portable
from contracts.proof_export import export_proof
from contracts.proof_verifier import ProofVerifier
from contracts.prover import Prover, configured
from contracts.rpc import rpc_of
from contracts.seals import SealRules
from contracts.verdict import Reason
from tests.contracts.proof.lying import Liar, method_only
from tests.contracts.proof.story import Network, Story, wait_until

RULES = SealRules(period_s=1, epoch=10)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """Three sealers, a bootnode and an RPC node, with short epochs."""
    folder = Path(tempfile.mkdtemp(prefix="lp", dir="/tmp"))  # socket paths must stay short
    environment = os.environ | {"LADING_HOME": str(folder)}
    chain = ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "geth_network"]
    options = ["--rpc-nodes", "1", "--rpc-port", "0", "--peer-port", "0", "--epoch", "10"]
    subprocess.run([*chain, "new", *options], env=environment, check=True, capture_output=True)
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen([*chain, "up"], env=environment, stdout=log, stderr=log)
    try:
        wait_until((folder / "chain" / "ready.json").exists, "running network", 150)
        yield Network(folder)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def story(network: Network) -> Story:
    """Contracts, a site and a device on it."""
    return Story(network, network.folder / "deployments.json")


def prover_on(network: Network, story: Story, alarms: list[Alarm], memory: str | None = None) -> Prover:
    """A device that knows the sealers only."""
    return configured(
        rpc_of(story.w3),
        [story.deployment],
        network.ready["sealers"],  # type: ignore[arg-type]
        since=int(time.time()),
        rules=RULES,
        memory=memory,
        report=alarms.append,
    )


@pytest.mark.row("M23", "I5")
def test_a_sales_life_is_proven_step_by_step(network: Network, story: Story) -> None:
    """Listed, sold, releasing, released: each at depth k and at depth N, and nothing before its time."""
    alarms: list[Alarm] = []
    verifier = ProofVerifier(prover_on(network, story, alarms), story.site)
    sale = story.list()
    story.wait_for(story.w3.eth.block_number + 2)
    assert verifier.verify_owned(story.voucher(sale), 1).reason is Reason.NOT_PAID
    story.wait_for(story.buy(sale) + 3)
    assert verifier.verify_owned(story.voucher(sale), 1).accepted
    assert verifier.verify_owned(story.voucher(sale), 3).accepted
    assert not verifier.verify_releasing(sale.address, 0, story.device, 1).accepted
    story.wait_for(story.release(sale) + 4)
    assert verifier.verify_owned(story.voucher(sale), 1).reason is Reason.BEING_RELEASED
    assert verifier.verify_releasing(sale.address, 0, story.device, 3).accepted
    assert verifier.verify_releasing(sale.address, 0, story.device, 1).accepted
    assert verifier.verify_releasing(sale.address, 0, story.device + 1, 1).reason is Reason.OTHER_DEVICE
    released = story.complete(sale)
    story.wait_for(released + 6)
    assert verifier.verify_completed(sale.address, 0, story.device, 3).accepted
    assert {alarm.kind for alarm in alarms} <= {AlarmKind.FORK}
    _followed(network, story, verifier.prover)
    _travels(network, story, sale.address, released)


def _followed(network: Network, story: Story, prover: Prover) -> None:
    """The epochs were followed, and what is remembered serves after a restart."""
    assert prover.memory.checkpoint.number >= 10
    again = prover_on(network, story, [], write_memory(prover.memory))
    assert again.memory == read_memory(write_memory(prover.memory)) == prover.memory
    again.follow(story.w3.eth.block_number)
    assert again.memory.checkpoint.number >= prover.memory.checkpoint.number


def _travels(network: Network, story: Story, sale: str, block: int) -> None:
    """The same as a file, from the genesis on."""
    text = export_proof(rpc_of(story.w3), sale, [story.deployment], RULES, block=block, start=0)
    genesis = bytes.fromhex(str(network.ready["genesis_hash"])[2:])
    found = verify_portable(text, Anchor(genesis, sealers_of(network.ready["sealers"]), (story.deployment,)))  # type: ignore[arg-type]
    assert says(found)["status"] == "Released"


def test_a_real_nodes_answers_rewritten_on_the_way_open_nothing(network: Network, story: Story) -> None:
    """The proof of an unpaid sale under the code of a paid one, and the like."""
    unpaid, paid = story.list("unpaid"), story.list("paid")
    story.wait_for(story.buy(paid) + 3)
    prover = prover_on(network, story, [])
    honest = prover.call
    verifier = ProofVerifier(prover, story.site)
    assert verifier.verify_owned(story.voucher(paid), 1).accepted

    def as_if_paid(batch: object) -> list[object]:
        asked = [
            (method, [paid.address if part == unpaid.address else part for part in params])
            for method, params in batch  # type: ignore[attr-defined]
        ]
        return list(honest(asked))

    prover.call = as_if_paid
    assert verifier.verify_owned(story.voucher(unpaid), 1).reason is Reason.NODE_LIED
    renamed = method_only("eth_getProof", lambda proof: proof | {"address": unpaid.address.lower()})
    prover.call = Liar(as_if_paid, renamed)
    assert verifier.verify_owned(story.voucher(unpaid), 1).reason is Reason.NODE_LIED
