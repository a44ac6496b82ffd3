"""Sellers and buyers that are contracts: wallets that sign by ERC-1271, and hostile ones."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3.types import TxReceipt

from contracts import errors
from contracts.calls import Call
from contracts.deploying import contract_address
from contracts.node_verifier import NodeVerifier
from contracts.sale import Sale, Status
from contracts.verdict import Reason
from contracts.voucher import Voucher, decode_voucher, encode_voucher, pickup_digest
from tests.contracts.nodes import ROOT
from tests.contracts.world import HOUR_S, NEVER, PRICE_WEI, World, fund


class Mood(IntEnum):
    """What a party does when it is paid or asked for a signature."""

    KIND = 0
    REFUSING = 1
    BURNING = 2
    GREEDY = 3
    BABBLING = 4


HOSTILE = (Mood.REFUSING, Mood.BURNING, Mood.BABBLING)


@pytest.fixture(scope="package")
def party_code() -> dict[str, Any]:
    """The compiled contract."""
    os.environ.setdefault("SOLCX_BINARY_PATH", str(ROOT / ".cache" / "solc"))
    import solcx

    source = Path(__file__).with_name("parties.sol").read_text("utf-8")
    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {"parties.sol": {"content": source}},
            "settings": {"evmVersion": "london", "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}}},
        },
        solc_version="0.8.30",
    )
    found: dict[str, Any] = output["contracts"]["parties.sol"]["Party"]
    return found


@dataclass(frozen=True)
class Party:
    """A contract account that does what its owner sends it."""

    world: World
    owner: LocalAccount
    contract: Any

    @property
    def address(self) -> Any:
        """Its address, checksummed."""
        return self.contract.address

    def become(self, mood: Mood) -> None:
        """Change what it does when paid or asked."""
        self._send("become", int(mood))

    def call_back(self, call: Call) -> None:
        """What it calls while it is paid, if it is greedy."""
        self._send("callBack", call.to, bytes(call.data))

    def act(self, call: Call, *, gas: int = 1_000_000) -> TxReceipt:
        """Make the call in its own name."""
        data = self.contract.encode_abi("act", args=[call.to, call.value_wei, bytes(call.data)])
        return self.world.send(self.owner, Call(self.address, HexBytes(data), call.value_wei, gas))

    def voucher(self, sale: Sale, signer: LocalAccount | None = None) -> Voucher:
        """Signed by its owner, in a form of its own, as wallets do."""
        digest = pickup_digest(
            chain_id=self.world.chain_id,
            sale=sale.address,
            buyer=self.address,
            attempt=sale.attempt(),
            expires_at=NEVER,
        )
        signed = (signer or self.owner).unsafe_sign_hash(digest)
        raw = signed.r.to_bytes(32, "big") + signed.s.to_bytes(32, "big") + bytes([0] * 31 + [signed.v])
        return Voucher(self.world.chain_id, sale.address, self.address, NEVER, raw)

    def _send(self, name: str, *arguments: object) -> None:
        data = self.contract.encode_abi(name, args=arguments)
        self.world.send(self.owner, Call(self.address, HexBytes(data), gas=500_000))


@pytest.fixture(params=["anvil", pytest.param("geth", marks=pytest.mark.long)])
def world(request: pytest.FixtureRequest) -> World:
    """Without ganache, which burns gas by the minute."""
    found: World = request.getfixturevalue(f"{request.param}_world")
    return found


@pytest.fixture
def party(world: World, party_code: dict[str, Any]) -> Party:
    """A fresh one, owned by the rival, with ether of its own."""
    owner = world.rival
    fund(world.node, owner.address)
    nonce = world.w3.eth.get_transaction_count(owner.address)
    code = bytes.fromhex(party_code["evm"]["bytecode"]["object"]) + encode(["address"], [owner.address])
    world.send(owner, Call(None, HexBytes(code), gas=3_000_000))
    address = contract_address(owner.address, nonce)
    contract = world.w3.eth.contract(address=address, abi=party_code["abi"])
    world.send(owner, Call(address, HexBytes("0x"), 2 * PRICE_WEI))
    return Party(world, owner, contract)


def _listed_by(world: World, party: Party, *, window_s: int = 0) -> Sale:
    listing = world.listing(window_s=window_s)
    party.act(world.factory.create_sale(listing))
    return Sale.at(world.w3, world.factory.find(party.address, listing) or "")


def _bought_by(world: World, party: Party, *, window_s: int = 0) -> Sale:
    sale = world.list(window_s=window_s)
    party.act(sale.buy(PRICE_WEI))
    return sale


def test_a_contract_wallet_buys_signs_and_collects(world: World, party: Party) -> None:
    """Its voucher fits the barcode, codec and verifier take it, `release` asks the wallet."""
    sale = _bought_by(world, party)
    voucher = decode_voucher(encode_voucher(party.voucher(sale)), world.chain_id)
    verdict = NodeVerifier(world.w3, [world.deployment], world.site).verify_owned(voucher, 0)
    assert (verdict.accepted, verdict.reason) == (True, Reason.OWNED)
    world.send(world.device, sale.release(voucher))
    assert sale.status() is Status.RELEASING


def test_a_wallet_that_does_not_agree_keeps_the_door_closed(world: World, party: Party) -> None:
    """Another's signature, another voucher, and every way in which a wallet can fail to answer."""
    sale = _bought_by(world, party)
    verifier = NodeVerifier(world.w3, [world.deployment], world.site)
    forged = party.voucher(sale, world.seller)
    late = replace(party.voucher(sale), expires_at=NEVER - 1)
    for mood, voucher in ((Mood.KIND, forged), (Mood.KIND, late), *((mood, party.voucher(sale)) for mood in HOSTILE)):
        party.become(mood)
        with pytest.raises(errors.InvalidVoucher):
            world.send(world.device, sale.release(voucher))
        assert verifier.verify_owned(voucher, 0).reason is Reason.BAD_SIGNATURE
    party.become(Mood.KIND)
    world.send(world.device, sale.release(party.voucher(sale)))


@pytest.mark.parametrize("mood", HOSTILE)
def test_an_instant_sale_is_not_sold_to_a_seller_that_refuses_the_ether(world: World, party: Party, mood: Mood) -> None:
    """The buyer keeps the money, the listing stays."""
    sale = _listed_by(world, party)
    party.become(mood)
    before = world.balance(world.buyer.address)
    with pytest.raises(errors.LadingError):
        world.send(world.buyer, sale.buy(PRICE_WEI))
    assert sale.status() is Status.LISTED
    assert before - world.balance(world.buyer.address) < PRICE_WEI
    party.become(Mood.KIND)
    world.send(world.buyer, sale.buy(PRICE_WEI))
    assert world.balance(party.address) == 3 * PRICE_WEI


@pytest.mark.parametrize("mood", HOSTILE)
def test_a_hostile_seller_cannot_block_complete(world: World, party: Party, mood: Mood) -> None:
    """The money waits for `withdraw`, which nobody else may call."""
    sale = _listed_by(world, party, window_s=HOUR_S)
    world.send(world.buyer, sale.buy(PRICE_WEI))
    world.send(world.device, sale.release(world.voucher(sale)))
    party.become(mood)
    receipt = world.send(world.device, sale.complete())
    assert (sale.status(), world.balance(sale.address)) == (Status.RELEASED, PRICE_WEI)
    assert receipt["gasUsed"] < 150_000
    for who in (world.buyer, world.device, world.seller):
        with pytest.raises(errors.NotSeller):
            world.send(who, sale.withdraw(who.address))
    purse = world.numbers.__next__()
    target = world.w3.to_checksum_address(f"0x{purse + (1 << 100):040x}")
    party.act(sale.withdraw(target))
    assert (world.balance(target), world.balance(sale.address)) == (PRICE_WEI, 0)
    with pytest.raises(errors.NothingToWithdraw):
        party.act(sale.withdraw(target))


@pytest.mark.parametrize("mood", HOSTILE)
def test_a_hostile_buyer_cannot_block_the_sellers_refund(world: World, party: Party, mood: Mood) -> None:
    """The money waits for `withdraw` as well."""
    sale = _bought_by(world, party, window_s=HOUR_S)
    party.become(mood)
    world.send(world.seller, sale.refund())
    assert (sale.status(), world.balance(sale.address)) == (Status.REFUNDED, PRICE_WEI)
    with pytest.raises(errors.NotBuyer):
        world.send(world.seller, sale.withdraw(world.seller.address))
    before = world.balance(world.buyer.address)
    party.act(sale.withdraw(world.buyer.address))
    assert world.balance(world.buyer.address) - before == PRICE_WEI


@pytest.mark.parametrize("again", ["refund", "withdraw", "complete", "abort", "buy", "cancel", "revoke"])
def test_a_party_that_calls_back_while_it_is_refunded_gains_nothing(world: World, party: Party, again: str) -> None:
    """Whatever it calls is refused, and it is paid once."""
    sale = _bought_by(world, party, window_s=HOUR_S)
    calls = {
        "refund": sale.refund(),
        "withdraw": sale.withdraw(party.address),
        "complete": sale.complete(),
        "abort": sale.abort(),
        "buy": sale.buy(0),
        "cancel": sale.cancel(),
        "revoke": sale.revoke(),
    }
    party.become(Mood.GREEDY)
    party.call_back(calls[again])
    world.send(world.seller, sale.refund())
    assert sale.status() is Status.REFUNDED
    assert party.contract.functions.entered().call() == 0
    assert (world.balance(party.address), world.balance(sale.address)) == (3 * PRICE_WEI, 0)


def test_a_seller_that_calls_back_while_it_withdraws_is_paid_once(world: World, party: Party) -> None:
    """With all the gas that it wants."""
    sale = _listed_by(world, party, window_s=HOUR_S)
    world.send(world.buyer, sale.buy(PRICE_WEI))
    world.send(world.device, sale.release(world.voucher(sale)))
    party.become(Mood.REFUSING)
    world.send(world.device, sale.complete())
    party.become(Mood.GREEDY)
    party.call_back(sale.withdraw(party.address))
    party.act(sale.withdraw(party.address))
    assert party.contract.functions.entered().call() == 0
    assert bytes(party.contract.functions.refusal().call())[:4] == HexBytes("0x") + _selector("NothingToWithdraw")
    assert (world.balance(party.address), world.balance(sale.address)) == (3 * PRICE_WEI, 0)


def _selector(name: str) -> bytes:
    from contracts.interface import entries

    return entries("Sale", "error")[name].hash[:4]


def test_a_payout_with_little_gas_is_refused_instead_of_lost(world: World, party: Party) -> None:
    """Whoever completes cannot make a good receiver fail by giving the call too little."""
    sale = _listed_by(world, party, window_s=HOUR_S)
    world.send(world.buyer, sale.buy(PRICE_WEI))
    world.send(world.device, sale.release(world.voucher(sale)))
    for gas in range(45_000, 130_000, 2_000):
        try:
            world.send(world.device, replace(sale.complete(), gas=gas))
        except errors.LadingError:
            assert sale.status() is Status.RELEASING
        else:
            break
    assert sale.status() is Status.RELEASED
    assert world.balance(sale.address) == 0


def test_too_little_gas_for_a_payout_says_so_once_mined(world: World, party: Party) -> None:
    """The refusal is asked again with the gas that the transaction had."""
    sale = _listed_by(world, party, window_s=HOUR_S)
    world.send(world.buyer, sale.buy(PRICE_WEI))
    world.send(world.device, sale.release(world.voucher(sale)))
    with pytest.raises(errors.UnknownRefusal, match="ran out of its 45000 gas"):
        world.send(world.device, replace(sale.complete(), gas=45_000))
    party.become(Mood.REFUSING)
    with pytest.raises(errors.GasTooLow, match="again with more gas"):
        world.send(world.device, replace(sale.complete(), gas=90_000))
    assert sale.status() is Status.RELEASING
