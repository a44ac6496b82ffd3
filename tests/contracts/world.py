"""A chain with the contracts, an operator's site, a device, a seller and buyers; and the steps that tests repeat."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.datastructures import SignedTransaction
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from web3 import Web3
from web3.types import TxReceipt

from contracts.calls import Call, send, sign
from contracts.deployment import Deployment, deploy
from contracts.factory import Listing, SaleFactory
from contracts.registry import DeviceRegistry, sign_consent
from contracts.sale import Sale
from contracts.voucher import Voucher, sign_voucher
from tests.contracts.nodes import Node

PRICE_WEI = 50 * 10**18
HOUR_S = 3_600
NEVER = (1 << 40) - 1
CERTIFICATE = bytes(range(32))
FUNDS_WEI = 100_000 * 10**18
PEOPLE = ("admin", "seller", "buyer", "rival", "operator", "device")


def account(name: str) -> LocalAccount:
    """The account of this name; the same in every run."""
    made: LocalAccount = Account.from_key(keccak(text=f"lading test {name}"))
    return made


@dataclass
class World:
    """One chain, ready to sell on."""

    node: Node
    path: Path
    deployment: Deployment
    site: int = 0
    device_id: int = 0
    admin: LocalAccount = field(default_factory=lambda: account("admin"))
    seller: LocalAccount = field(default_factory=lambda: account("seller"))
    buyer: LocalAccount = field(default_factory=lambda: account("buyer"))
    rival: LocalAccount = field(default_factory=lambda: account("rival"))
    operator: LocalAccount = field(default_factory=lambda: account("operator"))
    device: LocalAccount = field(default_factory=lambda: account("device"))
    numbers: Any = field(default_factory=itertools.count)

    @classmethod
    def build(cls, node: Node, path: Path) -> World:
        """Fund everybody, deploy, list the operator, open a site and provision a device."""
        for name in PEOPLE:
            fund(node, account(name).address)
        world = cls(node, path, deploy(node.w3, account("admin"), path))
        world.send(world.admin, world.registry.list_operator(world.operator.address, "Nordic Storage"))
        world.site = world.open_site("Hall 1")
        world.device_id = world.provision(world.device, world.site)
        return world

    @property
    def w3(self) -> Web3:
        """The node's."""
        return self.node.w3

    @property
    def chain_id(self) -> int:
        """The chain's."""
        return self.deployment.chain_id

    @property
    def registry(self) -> DeviceRegistry:
        """The deployed registry."""
        return DeviceRegistry.at(self.w3, self.deployment.registry)

    @property
    def factory(self) -> SaleFactory:
        """The deployed factory."""
        return SaleFactory.at(self.w3, self.deployment.factory)

    def send(self, sender: LocalAccount, call: Call) -> TxReceipt:
        """Have it mined, or raise the refusal."""
        return send(self.w3, sender, call)

    def sign(self, sender: LocalAccount, call: Call, *, tip_gwei: int = 1) -> SignedTransaction:
        """Ready to be mined with `node.mine_at`: the higher tip goes first."""
        return sign(self.w3, sender, call, tip_wei=tip_gwei * 10**9)

    def open_site(self, name: str) -> int:
        """A new site of the operator."""
        self.send(self.operator, self.registry.open_site(name))
        site = 1
        while self.registry.site(site + 1).name:
            site += 1
        return site

    def provision(self, device: LocalAccount, site: int, until: int = NEVER) -> int:
        """A new device of the operator."""
        consent = self.consent(device, site, until)
        call = self.registry.provision(site, device.address, until, CERTIFICATE, consent)
        self.send(self.operator, call)
        return self.registry.id_of(device.address)

    def consent(self, device: LocalAccount, site: int, until: int = NEVER, device_id: int = 0) -> bytes:
        """The device's own signature."""
        return sign_consent(
            device,
            chain_id=self.chain_id,
            registry=self.registry.address,
            device_id=device_id,
            site=site,
            until=until,
            certificate=CERTIFICATE,
            operator=self.operator.address,
        )

    def new_device(self, site: int | None = None) -> tuple[LocalAccount, int]:
        """A funded device that no other test knows."""
        device = account(f"device {next(self.numbers)}")
        fund(self.node, device.address)
        return device, self.provision(device, site or self.site)

    def listing(self, *, window_s: int = 0, site: int | None = None) -> Listing:
        """The published goods, with a serial number of their own."""
        number = f"4AA6-{next(self.numbers)}"
        return Listing("Nimbus", "alpha", number, 2019, PRICE_WEI, window_s, site or self.site)

    def list(self, *, window_s: int = 0, site: int | None = None) -> Sale:
        """A new sale of the seller."""
        listing = self.listing(window_s=window_s, site=site)
        self.send(self.seller, self.factory.create_sale(listing))
        found = self.factory.find(self.seller.address, listing)
        assert found is not None
        return Sale.at(self.w3, found)

    def sold(self, *, window_s: int = 0, site: int | None = None) -> Sale:
        """A new sale, bought."""
        sale = self.list(window_s=window_s, site=site)
        self.send(self.buyer, sale.buy(PRICE_WEI))
        return sale

    def releasing(self, *, window_s: int = 0) -> Sale:
        """A new sale, bought, its voucher consumed."""
        sale = self.sold(window_s=window_s)
        self.send(self.device, sale.release(self.voucher(sale)))
        return sale

    def voucher(
        self, sale: Sale, *, signer: LocalAccount | None = None, attempt: int | None = None, expires_at: int = NEVER
    ) -> Voucher:
        """The buyer's voucher for the present attempt."""
        return sign_voucher(
            signer or self.buyer,
            chain_id=self.chain_id,
            sale=sale.address,
            attempt=sale.attempt() if attempt is None else attempt,
            expires_at=expires_at,
        )

    def balance(self, address: str) -> int:
        """In wei, at the head."""
        return int(self.w3.eth.get_balance(Web3.to_checksum_address(address)))


def fund(node: Node, address: str, amount_wei: int = FUNDS_WEI) -> None:
    """Give an account ether, once."""
    target = Web3.to_checksum_address(address)
    if node.w3.eth.get_balance(target) < amount_wei // 2:
        send(node.w3, node.funder, Call(target, b"", amount_wei, 30_000))  # type: ignore[arg-type]
