"""One sale's life on a real chain: deployed, listed, bought, released, completed; for tests and for the vectors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from contracts.calls import send
from contracts.chain import connect
from contracts.deployment import Deployment, deploy
from contracts.factory import Listing, SaleFactory
from contracts.registry import DeviceRegistry, sign_consent
from contracts.sale import Sale
from contracts.voucher import Voucher, sign_voucher

WAIT_S = 60


@dataclass
class Network:
    """A running network, as its folder describes it."""

    folder: Path

    @property
    def ready(self) -> dict[str, object]:
        """What `ready.json` says."""
        return json.loads((self.folder / "chain" / "ready.json").read_text())  # type: ignore[no-any-return]

    def connect(self) -> Web3:
        """Its first RPC node."""
        return connect(self.ready["rpc"][0])  # type: ignore[index]

    def treasury(self) -> LocalAccount:
        """Whom the genesis funds."""
        folder = self.folder / "chain" / "treasury"
        keystore = json.loads((folder / "keystore.json").read_text())
        return Account.from_key(Account.decrypt(keystore, (folder / "password").read_text().strip()))


class Story:
    """Seller, buyer, operator and device, each with a key of its own; the operator is the registry's admin."""

    def __init__(self, network: Network, deployments: Path) -> None:
        self.w3 = network.connect()
        self.chain_id = self.w3.eth.chain_id
        self.operator = network.treasury()
        self.seller, self.buyer, self.key = (Account.create() for _ in range(3))
        for account in (self.seller, self.buyer, self.key):
            self.fund(account.address)
        self.deployment: Deployment = deploy(self.w3, self.operator, deployments)
        self.registry = DeviceRegistry.at(self.w3, self.deployment.registry)
        self.site = self._site()
        self.device = self._device()

    def fund(self, address: str, ether: int = 1_000) -> None:
        """Pay an account from the treasury."""
        transaction = {
            "to": address,
            "value": Web3.to_wei(ether, "ether"),
            "gas": 21_000,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 10**9,
            "nonce": self.w3.eth.get_transaction_count(self.operator.address, "pending"),
            "chainId": self.chain_id,
            "type": 2,
        }
        signed = self.operator.sign_transaction(transaction)
        self.w3.eth.wait_for_transaction_receipt(self.w3.eth.send_raw_transaction(signed.raw_transaction))

    def list(self, number: str = "4AA6", window_s: int = 0) -> Sale:
        """The published example, listed."""
        listing = Listing("Nimbus", "alpha", number, 2019, 50 * 10**18, window_s, self.site)
        factory = SaleFactory.at(self.w3, self.deployment.factory)
        send(self.w3, self.seller, factory.create_sale(listing))
        return Sale.at(self.w3, factory.address_of(self.seller.address, listing))

    def buy(self, sale: Sale) -> int:
        """Paid by the buyer; the block."""
        return int(send(self.w3, self.buyer, sale.buy(50 * 10**18))["blockNumber"])

    def voucher(self, sale: Sale, attempt: int = 0) -> Voucher:
        """The buyer's, for an hour."""
        return sign_voucher(
            self.buyer,
            chain_id=self.chain_id,
            sale=sale.address,
            attempt=attempt,
            expires_at=int(time.time()) + 3_600,
        )

    def release(self, sale: Sale) -> int:
        """Released by the device; the block."""
        return int(send(self.w3, self.key, sale.release(self.voucher(sale)))["blockNumber"])

    def complete(self, sale: Sale) -> int:
        """Completed by the device; the block."""
        return int(send(self.w3, self.key, sale.complete())["blockNumber"])

    def wait_for(self, number: int) -> None:
        """Until the chain has a block of this number."""
        wait_until(lambda: self.w3.eth.block_number >= number, f"block {number}")

    def _site(self) -> int:
        send(self.w3, self.operator, self.registry.list_operator(self.operator.address, "Harbour"))
        send(self.w3, self.operator, self.registry.open_site("Gate 1"))
        return 1

    def _device(self) -> int:
        until, certificate = int(time.time()) + 86_400, bytes(31) + b"\x01"
        consent = sign_consent(
            self.key,
            chain_id=self.chain_id,
            registry=self.registry.address,
            site=self.site,
            until=until,
            certificate=certificate,
            operator=self.operator.address,
        )
        call = self.registry.provision(self.site, self.key.address, until, certificate, consent)
        send(self.w3, self.operator, call)
        return self.registry.id_of(self.key.address)


def wait_until(condition: Callable[[], object], name: str, timeout_s: float = WAIT_S) -> None:
    """Until the condition holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"no {name} within {timeout_s} s"
        time.sleep(0.05)
