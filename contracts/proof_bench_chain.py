"""A network for measuring on: started by the `lading-chain` command in a folder of its own, with one sold item."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.types import TxParams, Wei

from contracts.calls import send
from contracts.chain import connect
from contracts.deployment import Deployment, deploy
from contracts.factory import Listing, SaleFactory
from contracts.registry import DeviceRegistry
from contracts.sale import Sale

START_S = 180
PRICE_WEI = 10**18


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured on."""

    folder: Path
    node: str
    w3: Web3
    deployment: Deployment
    sealers: tuple[str, ...]
    sale: Sale
    buyer: str


@contextmanager
def network(sealers: int) -> Iterator[Bench]:
    """So many sealers and one RPC node; stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="lb"))
    environment = os.environ | {"LADING_HOME": str(folder)}
    chain = [sys.executable, "-m", "geth_network"]
    options = ["--sealers", str(sealers), "--rpc-nodes", "1", "--rpc-port", "0", "--peer-port", "0"]
    subprocess.run([*chain, "new", *options], env=environment, check=True, stdout=subprocess.DEVNULL)
    with (folder / "log").open("wb") as log:
        guarded = ["setpriv", "--pdeathsig", "TERM", *chain, "up"]
        process = subprocess.Popen(guarded, env=environment, stdout=log, stderr=log)
    try:
        yield _prepare(folder, process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(folder: Path, process: subprocess.Popen[bytes]) -> Bench:
    ready = await_ready(folder / "chain" / "ready.json", process, folder / "log")
    w3 = connect(ready["rpc"][0])
    treasury = _treasury(folder / "chain" / "treasury")
    deployment = deploy(w3, treasury, folder / "deployments.json")
    registry = DeviceRegistry.at(w3, deployment.registry)
    send(w3, treasury, registry.list_operator(treasury.address, "Bench"))
    send(w3, treasury, registry.open_site("Bench"))
    buyer = Account.create()
    _pay(w3, treasury, buyer.address, 2 * PRICE_WEI)
    listing = Listing("Nimbus", "alpha", "4AA6", 2019, PRICE_WEI, 0, 1)
    factory = SaleFactory.at(w3, deployment.factory)
    send(w3, treasury, factory.create_sale(listing))
    sale = Sale.at(w3, factory.address_of(treasury.address, listing))
    bought = send(w3, buyer, sale.buy(PRICE_WEI))["blockNumber"]
    while w3.eth.block_number < bought + len(ready["sealers"]) + 1:
        time.sleep(0.1)
    return Bench(folder, ready["rpc"][0], w3, deployment, tuple(ready["sealers"]), sale, buyer.address)


def await_ready(path: Path, process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    """What a process says once it serves."""
    deadline = time.monotonic() + START_S
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{path.parent.name} did not start: {log.read_text()[-2000:]}")
        time.sleep(0.1)
    return cast("dict[str, Any]", json.loads(path.read_text()))


def _treasury(folder: Path) -> LocalAccount:
    keystore = json.loads((folder / "keystore.json").read_text())
    key = Account.decrypt(keystore, (folder / "password").read_text().strip())
    return cast("LocalAccount", Account.from_key(key))


def _pay(w3: Web3, treasury: LocalAccount, to: str, wei: int) -> None:
    payment: TxParams = {
        "to": Web3.to_checksum_address(to),
        "value": Wei(wei),
        "gas": 21_000,
        "maxFeePerGas": Wei(10**10),
        "maxPriorityFeePerGas": Wei(10**9),
        "nonce": w3.eth.get_transaction_count(treasury.address),
        "chainId": w3.eth.chain_id,
    }
    signed = treasury.sign_transaction(cast("dict[str, Any]", payment))
    w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(signed.raw_transaction))
