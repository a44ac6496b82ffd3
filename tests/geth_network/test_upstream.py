"""The other geth line, go-ethereum 1.13.15 itself: built from its own module, and taken by a setting."""

import os
import subprocess
from pathlib import Path

import pytest
from eth_account import Account

import geth_network
from contracts.chain import connect
from contracts.deployment import deploy
from geth_network import fund
from geth_network.amounts import ETHER
from geth_network.programs import find_program
from geth_network.run_folder import CHECKOUT
from tests.geth_network.chain import Chain

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1800)]
MODULE = Path(geth_network.__file__).parent / "build-upstream"
PROGRAMS = CHECKOUT / ".cache" / "upstream"


@pytest.fixture(scope="module")
def upstream() -> Path:
    """The folder with geth and bootnode 1.13.15, built unless they are there and newer than the module."""
    if (PROGRAMS / "geth").exists() and (PROGRAMS / "geth").stat().st_mtime > (MODULE / "go.sum").stat().st_mtime:
        return PROGRAMS
    cache = CHECKOUT / ".cache" / "go"
    caches = {"GOMODCACHE": str(cache / "mod"), "GOCACHE": str(cache / "build"), "GOPATH": str(cache)}
    package = "github.com/ethereum/go-ethereum/cmd/"
    go = [str(find_program("go", None)), "build", "-trimpath", "-ldflags=-s -w", "-o", f"{PROGRAMS}/"]
    environment = {**os.environ, **caches, "CGO_ENABLED": "1", "GOFLAGS": "-modcacherw"}
    subprocess.run([*go, f"{package}geth", f"{package}bootnode"], cwd=MODULE, check=True, env=environment)
    return PROGRAMS


def test_upstream_geth_carries_the_network(chain: Chain, upstream: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New, up, a payment, a deployment, kill -9 of all, a restart: the same on the other line."""
    monkeypatch.setenv("LADING_CHAIN_GETH", str(upstream / "geth"))
    monkeypatch.setenv("LADING_CHAIN_BOOTNODE", str(upstream / "bootnode"))
    somebody, owner = "0x" + "78" * 20, Account.create()
    chain.new(alloc_wei={owner.address: ETHER})
    with chain.up():
        assert "Geth/v1.13.15" in chain.rpc()("web3_clientVersion")
        deployed = deploy(connect(chain.folder.read_ready()["rpc"][0]), owner, chain.home / "deployments.json")
        block = fund.fund(chain.folder, somebody, ETHER).block
        goal = chain.await_progress(blocks=4)
        paid_in = chain.await_agreement(block)
        chain.kill(*chain.names())
        chain.await_number(goal)
        chain.await_progress()
        assert chain.await_agreement(block) == paid_in
    with chain.up():
        assert int(chain.rpc()("eth_getBalance", somebody, "latest"), 16) == ETHER
        for address in (deployed.factory, deployed.implementation, deployed.registry):
            assert len({chain.ask(name)("eth_getCode", address, "latest") for name in chain.names()} - {"0x"}) == 1
        chain.await_progress()
