"""Refusals: one class for each custom error, and the same exception whichever node passes it on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode
from hexbytes import HexBytes
from hypothesis import given
from hypothesis import strategies as st
from web3.exceptions import ContractCustomError, ContractLogicError, Web3RPCError

from contracts import errors
from contracts.calls import Call, to_contract
from contracts.fault import snake_case
from contracts.interface import entries
from contracts.sale import Sale, Status
from tests.contracts.world import CERTIFICATE, HOUR_S, NEVER, PRICE_WEI, World, account

CONTRACTS = ("Sale", "SaleFactory", "DeviceRegistry")
# What OpenZeppelin declares in our contracts and no call of ours can provoke.
UNREACHABLE = {"SafeCastOverflowedUintDowncast", "CloneArgumentsTooLong"}
CUSTOM = {name: entry for contract in CONTRACTS for name, entry in entries(contract, "error").items()}
EXAMPLES = {"uint256": 7, "uint8": 2, "address": "0x" + "ab" * 20}


@pytest.mark.parametrize("name", sorted(CUSTOM.keys() - UNREACHABLE))
def test_every_custom_error_has_its_class_with_the_contracts_names(name: str) -> None:
    """Its values are attributes, its message has them filled in, its reason is its own."""
    entry = CUSTOM[name]
    types = [one.type for one in entry.inputs]
    data = entry.hash[:4] + encode(types, [EXAMPLES[kind] for kind in types])
    error = errors.decode_error(data)
    assert type(error) is getattr(errors, name)
    assert list(error.values) == [one.name for one in entry.inputs]
    declared = {key for kind in type(error).__mro__ for key in vars(kind).get("__annotations__", {})}
    assert {snake_case(one.name) for one in entry.inputs} <= declared
    assert all(getattr(error, snake_case(key)) == value for key, value in error.values.items())
    assert "{" not in str(error)
    assert error.data == data


def test_every_reason_is_its_own() -> None:
    """Programs can tell all errors apart by it."""
    kinds = [getattr(errors, name) for name in errors.__all__ if name[0].isupper()]
    reasons = [kind.reason for kind in kinds if "Refusal" not in kind.__name__ or kind is errors.UnknownRefusal]
    assert len(reasons) == len(set(reasons))


def _raw(world: World, *, index: str, **changes: Any) -> Call:
    item = dict(zip(("make", "model", "number", "year", "price", "window", "site", "edition"),
                    world.listing().as_item(), strict=True)) | changes  # fmt: skip
    assert index
    return to_contract("SaleFactory", world.factory.address, "createSale", tuple(item.values()))


BAD_ITEMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "InvalidPrice zero": ({"price": 0}, {"index": 0, "price": 0}),
    "InvalidPrice 2^96": ({"price": 1 << 96}, {"index": 0, "price": 1 << 96}),
    "InvalidMake empty": ({"make": ""}, {"index": 0, "length": 0}),
    "InvalidMake long": ({"make": "m" * 65}, {"index": 0, "length": 65}),
    "InvalidModel empty": ({"model": ""}, {"index": 0, "length": 0}),
    "InvalidModel long": ({"model": "é" * 33}, {"index": 0, "length": 66}),
    "InvalidNumber long": ({"number": "n" * 65}, {"index": 0, "length": 65}),
    "InvalidYear 2^16": ({"year": 1 << 16}, {"index": 0, "year": 1 << 16}),
    "InvalidWindow 366 days and a second": ({"window": 366 * 86_400 + 1}, {"index": 0, "window": 366 * 86_400 + 1}),
    "InvalidEdition 2^16": ({"edition": 1 << 16}, {"index": 0, "edition": 1 << 16}),
    "SiteNotOffered zero": ({"site": 0}, {"index": 0, "site": 0}),
    "SiteNotOffered unknown": ({"site": 1 << 32}, {"index": 0, "site": 1 << 32}),
}


@pytest.mark.parametrize("case", BAD_ITEMS)
def test_what_another_client_lists_wrongly_is_refused_with_its_values(any_world: World, case: str) -> None:
    """The contract checks by itself all that the bindings check."""
    world = any_world
    changes, values = BAD_ITEMS[case]
    with pytest.raises(getattr(errors, case.split(maxsplit=1)[0])) as refused:
        world.send(world.seller, _raw(world, index=case, **changes))
    assert refused.value.values == values


def test_the_same_order_cannot_be_placed_twice(world: World) -> None:
    """The error names the sale that is there; the next edition is another order."""
    listing = world.listing()
    world.send(world.seller, world.factory.create_sale(listing))
    with pytest.raises(errors.AlreadyListed) as refused:
        world.send(world.seller, world.factory.create_sale(listing))
    assert refused.value.sale == world.factory.find(world.seller.address, listing)
    world.send(world.seller, world.factory.create_sale(replace(listing, edition=1)))


def test_a_closed_site_takes_no_new_goods(world: World) -> None:
    """And the error says which site it is."""
    site = world.open_site("soon closed")
    world.send(world.operator, world.registry.close_site(site))
    with pytest.raises(errors.SiteNotOffered) as refused:
        world.send(world.seller, world.factory.create_sale(world.listing(site=site)))
    assert refused.value.site == site


def test_ether_without_a_call_is_refused_by_every_contract(any_world: World) -> None:
    """It stays with its sender."""
    world = any_world
    sale = world.list()
    for target in (sale.address, world.deployment.factory, world.deployment.registry, world.deployment.implementation):
        with pytest.raises(errors.EtherRefused) as refused:
            world.send(world.buyer, Call(target, HexBytes("0x"), 5))
        assert (refused.value.sender, refused.value.amount) == (world.buyer.address, 5)


def test_every_refusal_of_a_sale_says_who_and_what(any_world: World) -> None:
    """Each call by the wrong one, in the wrong state or with the wrong price."""
    world = any_world
    sale = world.list(window_s=HOUR_S)
    buyer, rival, seller, device = (one.address for one in (world.buyer, world.rival, world.seller, world.device))
    _refused(world, "buyer", sale.buy(1), errors.WrongPrice, sent=1, price=PRICE_WEI)
    _refused(world, "rival", sale.cancel(), errors.NotSeller, caller=rival, seller=seller)
    _refused(world, "buyer", sale.refund(), errors.NotRefundable, status=Status.LISTED)
    _refused(world, "buyer", sale.revoke(), errors.NotSold, status=Status.LISTED)
    _refused(world, "device", sale.complete(), errors.NotReleasing, status=Status.LISTED)
    world.send(world.buyer, sale.buy(PRICE_WEI))
    _refused(world, "rival", sale.buy(PRICE_WEI), errors.NotListed, status=Status.SOLD)
    _refused(world, "rival", sale.revoke(), errors.NotBuyer, caller=rival, buyer=buyer)
    _refused(world, "rival", sale.refund(), errors.NotParty, caller=rival)
    voucher = world.voucher(sale)
    _refused(world, "rival", sale.release(voucher), errors.DeviceNotActive, caller=rival)
    other = world.voucher(sale, signer=world.rival)
    _refused(world, "device", sale.release(other), errors.WrongBuyer, given=rival, buyer=buyer)
    forged = replace(voucher, signature=other.signature)
    _refused(world, "device", sale.release(forged), errors.InvalidVoucher, buyer=buyer, attempt=0, expiresAt=NEVER)
    world.send(world.device, sale.release(voucher))
    _refused(world, "rival", sale.complete(), errors.NotSettler, caller=rival, device=world.device_id)
    _refused(world, "seller", sale.abort(), errors.NotSettler, caller=seller, device=world.device_id)
    _refused(world, "seller", sale.refund(), errors.NotRefundable, status=Status.RELEASING)
    world.send(world.device, sale.complete())
    _refused(world, "seller", sale.withdraw(seller), errors.NothingToWithdraw, status=Status.RELEASED, balance=0)
    _refused(world, "device", sale.abort(), errors.NotReleasing, status=Status.RELEASED)
    assert device


def test_an_instant_sale_has_no_refund(world: World) -> None:
    """Neither party can take back what was paid out."""
    sale = world.sold()
    for who in ("buyer", "seller"):
        _refused(world, who, sale.refund(), errors.NoEscrow)


def test_every_refusal_of_the_registry_says_who_and_what(any_world: World) -> None:
    """Operators, sites, devices, consents."""
    world = any_world
    registry, rival, operator = world.registry, world.rival.address, world.operator.address
    stranger = account("stranger")
    _refused(world, "rival", registry.list_operator(rival, "x"), errors.OwnableUnauthorizedAccount, account=rival)
    _refused(world, "admin", registry.list_operator(operator, "x"), errors.OperatorAlreadyListed, operator=operator)
    _refused(world, "admin", registry.list_operator("0x" + "00" * 20, "x"), errors.InvalidAddress)
    _refused(world, "admin", _registry_call(world, "listOperator", rival, ""), errors.InvalidName, length=0)
    _refused(world, "admin", registry.delist_operator(rival), errors.OperatorNotListed, operator=rival)
    _refused(world, "rival", registry.open_site("x"), errors.OperatorNotListed, operator=rival)
    _refused(world, "operator", _registry_call(world, "openSite", "n" * 65), errors.InvalidName, length=65)
    _refused(world, "operator", registry.close_site(9_999), errors.SiteNotOpen, site=9_999)
    close = registry.close_site(world.site)
    _refused(world, "rival", close, errors.NotOperator, caller=rival, operator=operator)
    _refused(world, "operator", registry.decommission(9_999), errors.UnknownDevice, id=9_999)
    provision = registry.provision
    good = world.consent(stranger, world.site)
    call = provision(world.site, stranger.address, NEVER, CERTIFICATE, world.consent(world.device, world.site))
    _refused(world, "operator", call, errors.InvalidConsent, device=stranger.address)
    call = provision(world.site, stranger.address, NEVER, bytes(32), good)
    _refused(world, "operator", call, errors.InvalidCertificate)
    call = provision(world.site, world.device.address, NEVER, CERTIFICATE, world.consent(world.device, world.site))
    _refused(world, "operator", call, errors.AddressInUse, device=world.device.address, id=world.device_id)
    call = provision(world.site, stranger.address, 1 << 40, CERTIFICATE, good)
    with pytest.raises(errors.InvalidUntil) as refused:
        world.send(world.operator, call)
    assert refused.value.until == 1 << 40


def _registry_call(world: World, name: str, *arguments: object) -> Call:
    """As another client would call, which does not check what our bindings do."""
    return to_contract("DeviceRegistry", world.registry.address, name, *arguments)


def _refused(world: World, who: str, call: Call, kind: type[errors.ContractError], **values: object) -> None:
    with pytest.raises(kind) as refused:
        world.send(getattr(world, who), call)
    assert refused.value.values == values


def test_a_mined_refusal_is_decoded_as_well(clock_world: World) -> None:
    """Two buy at once: the one who comes second is told that it is sold."""
    sale = clock_world.list()
    late = Call(sale.address, sale.buy(PRICE_WEI).data, PRICE_WEI, 250_000)
    signed = clock_world.sign(clock_world.rival, late)
    clock_world.send(clock_world.buyer, sale.buy(PRICE_WEI))
    from contracts.calls import send_signed

    with pytest.raises(errors.NotListed):
        send_signed(clock_world.w3, clock_world.rival.address, late, signed)


DATA = "0x" + (CUSTOM["WrongPrice"].hash[:4] + encode(["uint256", "uint256"], [1, 2])).hex()


@pytest.mark.parametrize(
    "source",
    [
        ContractCustomError(DATA, data=DATA),
        ContractLogicError("execution reverted", data=DATA),
        ContractLogicError("reverted", data={"result": DATA, "hash": "0x12"}),
        ContractLogicError("reverted", data="Reverted " + DATA),
        ContractLogicError("reverted", data={"0xabc": {"error": "revert", "return": DATA}}),
        Web3RPCError("revert", rpc_response={"error": {"code": -32000, "message": "revert", "data": {"result": DATA}}}),
        Web3RPCError("execution reverted", rpc_response={"error": {"code": 3, "message": "x", "data": DATA}}),
        DATA,
        bytes.fromhex(DATA[2:]),
    ],
    ids=str,
)
def test_revert_data_is_found_wherever_a_node_puts_it(source: Any) -> None:
    """geth's, anvil's and ganache's places, through every exception that web3.py makes of them."""
    error = errors.decode_error(source)
    assert isinstance(error, errors.WrongPrice)
    assert (error.sent, error.price) == (1, 2)


def test_what_is_no_refusal_is_not_taken_for_one() -> None:
    """A node's own failure stays a `NodeError`."""
    failure = Web3RPCError("no", rpc_response={"error": {"code": -32000, "message": "nonce too low"}})  # type: ignore[typeddict-item]
    assert errors.decode_error(failure) is None
    assert isinstance(errors.translate(failure), errors.NodeError)
    assert isinstance(errors.decode_error(ContractLogicError("execution reverted")), errors.UnknownRefusal)


@given(st.binary(max_size=200), st.sampled_from(["", *sorted(CUSTOM)]))
def test_no_data_can_break_the_decoder(data: bytes, name: str) -> None:
    """Whatever a hostile contract reverts with becomes a `ContractError`."""
    prefix = CUSTOM[name].hash[:4] if name else b""
    error = errors.decode_error(prefix + data)
    assert isinstance(error, errors.ContractError)
    assert str(error)


def test_sales_are_found_by_any_spelling_of_their_address(anvil_world: World) -> None:
    """Lower case, as logs have it, and checksummed."""
    sale = anvil_world.list()
    assert Sale.at(anvil_world.w3, sale.address.lower()) == sale
