"""Run folders with short paths, and one network that the tests share and leave in health."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from tests.geth_network.chain import Chain, left_behind

ETHER = 10**18


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A run folder; short, since a Unix socket's path must be. Whatever a test does, nothing started is left behind."""
    with tempfile.TemporaryDirectory(prefix="lc", dir="/tmp") as path:
        monkeypatch.setenv("LADING_HOME", path)
        yield Path(path)
        assert not left_behind(Path(path))


@pytest.fixture
def chain(home: Path) -> Chain:
    """A run folder in which a test makes its own network."""
    return Chain(home)


@pytest.fixture(scope="package")
def payer() -> LocalAccount:
    """An account that the shared network's genesis funds."""
    account: LocalAccount = Account.create()
    return account


@pytest.fixture(scope="package")
def _shared(payer: LocalAccount) -> Iterator[Chain]:
    with tempfile.TemporaryDirectory(prefix="lc", dir="/tmp") as path:
        chain = Chain(Path(path))
        chain.new(alloc_wei={payer.address: 1_000_000 * ETHER})
        with chain.up(prefix=("env", f"LADING_CHAIN_MONITOR=unix:{path}/monitor.sock")):
            yield chain


@pytest.fixture
def shared(_shared: Chain) -> Chain:
    """The shared network, three sealers and two RPC nodes, with every node advancing."""
    _shared.await_progress(blocks=1)
    return _shared
