"""Operators, sites, devices and their consent, on every node."""

from __future__ import annotations

import pytest

from contracts import errors
from contracts.calls import read
from contracts.registry import consent_data, sign_consent
from tests.contracts.world import CERTIFICATE, NEVER, World, account, fund


@pytest.mark.row("N1")
def test_a_device_id_resolves_to_key_certificate_site_and_operator(world: World) -> None:
    """Both ways."""
    device = world.registry.device(world.device_id)
    assert (device.address, device.site, device.until) == (world.device.address, world.site, NEVER)
    assert (device.operator, device.active) == (world.operator.address, True)
    assert world.registry.id_of(world.device.address) == world.device_id
    assert world.registry.certificate_of(world.device_id) == CERTIFICATE
    site = world.registry.site(world.site)
    assert (site.operator, site.name, site.open) == (world.operator.address, "Hall 1", True)


def test_what_does_not_exist_reads_as_nothing(world: World) -> None:
    """Neither device nor site nor address."""
    assert not world.registry.device(1 << 20).active
    assert not world.registry.site(1 << 20).open
    assert world.registry.id_of(account("nobody").address) == 0


def test_the_consent_is_what_the_registry_asks_for(world: World) -> None:
    """The EIP-712 hash is the contract's own."""
    facts = {"site": world.site, "device": world.device.address, "until": NEVER}
    (digest,) = read(
        world.w3,
        "DeviceRegistry",
        world.registry.address,
        "consentDigest",
        5,
        *facts.values(),
        CERTIFICATE,
        world.operator.address,
    )
    from eth_account.messages import encode_typed_data

    from contracts.voucher import digest as hash_of

    data = consent_data(
        chain_id=world.chain_id,
        registry=world.registry.address,
        device_id=5,
        certificate=CERTIFICATE,
        operator=world.operator.address,
        **facts,
    )
    assert hash_of(encode_typed_data(full_message=data)) == digest


def test_nobody_registers_a_key_that_is_not_his(world: World) -> None:
    """A consent to other facts, of another key or to another operator is none."""
    device = account("consenting")
    wrong = [
        world.consent(device, world.site + 1),
        world.consent(device, world.site, NEVER - 1),
        world.consent(device, world.site, device_id=1),
        world.consent(account("another"), world.site),
        sign_consent(
            device,
            chain_id=world.chain_id + 1,
            registry=world.registry.address,
            site=world.site,
            until=NEVER,
            certificate=CERTIFICATE,
            operator=world.operator.address,
        ),
        b"",
    ]
    for consent in wrong:
        call = world.registry.provision(world.site, device.address, NEVER, CERTIFICATE, consent)
        with pytest.raises(errors.InvalidConsent):
            world.send(world.operator, call)


@pytest.mark.row("N1")
def test_rotation_ends_the_old_key_at_once(world: World) -> None:
    """The id stays; the old key releases nothing more and never becomes another device."""
    old, device_id = world.new_device()
    new = account(f"rotated {device_id} of {world.node.kind}")
    fund(world.node, new.address)
    fresh = bytes(reversed(CERTIFICATE))
    consent = sign_consent(
        new,
        chain_id=world.chain_id,
        registry=world.registry.address,
        device_id=device_id,
        site=world.site,
        until=NEVER - 5,
        certificate=fresh,
        operator=world.operator.address,
    )
    world.send(world.operator, world.registry.rotate(device_id, new.address, NEVER - 5, fresh, consent))
    assert world.registry.device(device_id).address == new.address
    assert world.registry.certificate_of(device_id) == fresh
    sale = world.sold()
    with pytest.raises(errors.DeviceNotActive):
        world.send(old, sale.release(world.voucher(sale)))
    call = world.registry.provision(world.site, old.address, NEVER, CERTIFICATE, world.consent(old, world.site))
    with pytest.raises(errors.AddressInUse):
        world.send(world.operator, call)
    world.send(new, sale.release(world.voucher(sale)))
    assert sale.device() == device_id


@pytest.mark.row("I6")
def test_a_decommissioned_device_releases_and_settles_nothing(world: World) -> None:
    """What it left is its operator's to settle; its facts stay readable."""
    device, device_id = world.new_device()
    left, sale = world.sold(), world.sold()
    world.send(device, left.release(world.voucher(left)))
    world.send(world.operator, world.registry.decommission(device_id))
    with pytest.raises(errors.DeviceNotActive):
        world.send(device, sale.release(world.voucher(sale)))
    with pytest.raises(errors.NotSettler):
        world.send(device, left.complete())
    world.send(world.operator, left.abort())
    facts = world.registry.device(device_id)
    assert (facts.site, facts.operator, facts.active) == (world.site, world.operator.address, False)


def test_a_device_of_another_site_releases_nothing(world: World) -> None:
    """The error names both sites."""
    elsewhere = world.open_site("Hall 2")
    device, _ = world.new_device(elsewhere)
    sale = world.sold()
    with pytest.raises(errors.WrongSite) as refused:
        world.send(device, sale.release(world.voucher(sale)))
    assert (refused.value.device_site, refused.value.site) == (elsewhere, world.site)


def test_a_delisted_operator_starts_nothing_new_and_finishes_what_runs(world: World) -> None:
    """No new site; its door still releases what was sold."""
    sale = world.sold()
    world.send(world.admin, world.registry.delist_operator(world.operator.address))
    try:
        with pytest.raises(errors.OperatorNotListed):
            world.send(world.operator, world.registry.open_site("more"))
        world.send(world.device, sale.release(world.voucher(sale)))
        world.send(world.device, sale.complete())
    finally:
        world.send(world.admin, world.registry.list_operator(world.operator.address, "Nordic Storage"))


@pytest.mark.parametrize(
    "name", ["", " ", "Hall\n1", "Hall \u202e1", "\ud800", "\u3164", "n" * 65, " Hall 1"], ids=ascii
)
def test_a_name_that_people_could_mistake_is_refused(anvil_world: World, name: str) -> None:
    """Buyers see it before they pay."""
    registry = anvil_world.registry
    for call in (lambda: registry.open_site(name), lambda: registry.list_operator("0x" + "12" * 20, name)):
        with pytest.raises(errors.FieldError, match=r"^name: "):
            call()


def test_what_no_contract_could_take_is_refused_before_a_node_is_asked(anvil_world: World) -> None:
    """A number below zero, a digest of another length, an address that is none."""
    registry, device = anvil_world.registry, "0x" + "12" * 20
    with pytest.raises(errors.CallError, match="closeSite takes"):
        registry.close_site(-1)
    for certificate in (bytes(31), bytes(33), b""):
        with pytest.raises(errors.FieldError, match=r"^certificate: "):
            registry.provision(1, device, 2_000_000_000, certificate, b"")
    for call in (lambda: registry.list_operator("junk", "x"), lambda: registry.id_of("0x12")):
        with pytest.raises(errors.AddressError, match="is no address"):
            call()
