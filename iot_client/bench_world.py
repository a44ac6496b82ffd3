"""What a door is measured with: three geth sealers and a node, nginx before them, mosquitto and the shadow service.

All are the commands of their folders, in a run folder of their own; this door is enrolled as any other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3 import Web3

from contracts.address import checksummed
from contracts.calls import Call, send
from contracts.factory import Listing, SaleFactory
from contracts.proof_bench_chain import Bench, network
from contracts.proof_bench_gateway import THING, gateway
from contracts.registry import DeviceRegistry
from contracts.sale import Sale
from contracts.voucher import encode_voucher, sign_voucher
from iot_client.identity.enrolment import Request, accept_bundle, default_until, enrol
from iot_client.identity.files import write_secret

PRICE_WEI = 10**15
SEALERS = 3
EXPIRES_IN_S = 3_600


@dataclass(frozen=True)
class Shop:
    """The chain behind its gateway, a door's folder, and who sells and buys."""

    bench: Bench
    through: Web3
    door: Path
    seller: LocalAccount
    buyer: LocalAccount

    def sold(self, count: int, first: int) -> list[Sale]:
        """So many sales, listed and paid for, deep enough to be proven."""
        w3 = self.bench.w3
        factory = SaleFactory.at(w3, self.bench.deployment.factory)
        listings = [
            Listing("Nimbus", "alpha", f"B{number}", 2019, PRICE_WEI, 0, 1) for number in range(first, first + count)
        ]
        send(w3, self.seller, factory.create_sales(listings))
        sales = [Sale.at(w3, factory.address_of(self.seller.address, listing)) for listing in listings]
        bought = max(int(send(w3, self.buyer, sale.buy(PRICE_WEI))["blockNumber"]) for sale in sales)
        while w3.eth.block_number < bought + SEALERS:
            time.sleep(0.1)
        return sales

    def receipt(self, sale: Sale) -> str:
        """The barcode's text."""
        voucher = sign_voucher(
            self.buyer, chain_id=self.bench.deployment.chain_id, sale=sale.address, attempt=0,
            expires_at=int(time.time()) + EXPIRES_IN_S,
        )  # fmt: skip
        return encode_voucher(voucher)


@contextmanager
def shop() -> Iterator[Shop]:
    """Started, with an enrolled door; stopped and removed at the end."""
    with network(SEALERS) as bench, gateway(bench.folder, bench.node) as through:
        seller = _treasury(bench.folder / "chain" / "treasury")
        buyer = cast("LocalAccount", Account.create())
        _pay(bench.w3, seller, buyer.address, 10**19)
        door = bench.folder / "pi" / THING
        _enrol(bench, door, seller)
        yield Shop(bench, through, door, seller, buyer)


def _treasury(folder: Path) -> LocalAccount:
    key = Account.decrypt(json.loads((folder / "keystore.json").read_text()), (folder / "password").read_text().strip())
    return cast("LocalAccount", Account.from_key(key))


def _pay(w3: Web3, payer: LocalAccount, to: str, wei: int) -> None:
    send(w3, payer, Call(checksummed(to), HexBytes(b""), wei, 21_000))


def _enrol(bench: Bench, door: Path, operator: LocalAccount) -> None:
    """As a person does: keys and consent, registration and money, the bundle."""
    device, own = bench.folder / "device", bench.deployment
    write_secret(door / "x509.key", (device / f"{THING}.key").read_bytes())
    request = Request(THING, 1, operator.address, own.chain_id, own.registry, default_until())
    asked: Any = enrol(door, request)
    registry = DeviceRegistry.at(bench.w3, own.registry)
    consent, digest = (bytes.fromhex(asked[name][2:]) for name in ("consent", "certificate"))
    send(bench.w3, operator, registry.provision(1, asked["device"], asked["until"], digest, consent))
    _pay(bench.w3, operator, asked["device"], 10**19)
    accept_bundle(door, _bundle(bench, operator.address, registry.id_of(asked["device"])))


def _bundle(bench: Bench, operator: str, device_id: int) -> dict[str, Any]:
    cloud = json.loads((bench.folder / "cloud" / "ready.json").read_text())
    ca = (bench.folder / "cloud" / "ca" / "ca.pem").read_text()
    return {
        "device_id": device_id, "thing": THING, "site": 1, "operator": operator, "ca": ca, "gateway_ca": ca,
        "certificate": (bench.folder / "device" / f"{THING}.pem").read_text(), "chain_id": bench.deployment.chain_id,
        "chain_url": json.loads((bench.folder / "gateway" / "ready.json").read_text())["devices"],
        "iot_host": cloud["host"], "iot_port": cloud["mqtt_port"], "sealers": list(bench.sealers), "confirmations": 1,
        "deployments": json.loads((bench.folder / "deployments.json").read_text()),
    }  # fmt: skip
