"""Events: every fact that a page shows can be rebuilt from logs alone."""

from __future__ import annotations

from typing import Any

import pytest
from hexbytes import HexBytes
from hypothesis import given
from hypothesis import strategies as st

from contracts import events
from contracts.events import TOPICS, decode_log
from contracts.interface import entries
from tests.contracts.world import CERTIFICATE, HOUR_S, NEVER, PRICE_WEI, World


def _events(world: World, receipt: Any) -> list[events.Event]:
    found = [decode_log(log) for log in receipt["logs"]]
    assert None not in found
    return [event for event in found if event is not None]


def _only(world: World, receipt: Any) -> dict[str, Any]:
    (event,) = _events(world, receipt)
    place = {"contract", "block_number", "block_hash", "transaction_hash", "log_index"}
    assert event.transaction_hash == receipt["transactionHash"].to_0x_hex()
    assert (event.block_number, event.log_index) == (receipt["blockNumber"], 0)
    values = {name: getattr(event, name) for name in event.__dataclass_fields__ if name not in place}
    return {"event": type(event).__name__, **values}


def test_every_event_of_the_contracts_has_its_class() -> None:
    """But for those of OpenZeppelin's ownership."""
    names = {name for contract in ("Sale", "SaleFactory", "DeviceRegistry") for name in entries(contract, "event")}
    assert {kind.__name__ for kind in TOPICS.values()} == {name for name in names if not name.startswith("Ownership")}


@pytest.mark.row("N3")
def test_a_sale_can_be_told_from_its_logs(world: World) -> None:
    """Listed, Sold, Revoked, Releasing, Aborted, Releasing, Released: with all values."""
    buyer, device = world.buyer.address, world.device_id
    listing = world.listing(window_s=HOUR_S)
    receipt = world.send(world.seller, world.factory.create_sale(listing))
    (listed,) = _events(world, receipt)
    assert isinstance(listed, events.Listed)
    assert listed.terms == listing.terms(world.seller.address)
    assert (listed.seller, listed.contract) == (world.seller.address, world.factory.address)
    sale = type(world.sold()).at(world.w3, listed.sale)
    assert sale.terms() == listed.terms

    bought = world.send(world.buyer, sale.buy(PRICE_WEI))
    assert _only(world, bought) == {"event": "Sold", "buyer": buyer, "price_wei": PRICE_WEI}
    revoked = world.send(world.buyer, sale.revoke())
    assert _only(world, revoked) == {"event": "Revoked", "buyer": buyer, "attempt": 1}
    released = world.send(world.device, sale.release(world.voucher(sale)))
    assert _only(world, released) == {"event": "Releasing", "buyer": buyer, "device": device, "attempt": 1}
    aborted = world.send(world.device, sale.abort())
    assert _only(world, aborted) == {"event": "Aborted", "device": device, "attempt": 2}
    world.send(world.device, sale.release(world.voucher(sale)))
    completed = world.send(world.device, sale.complete())
    assert _only(world, completed) == {"event": "Released", "device": device}


def test_the_other_ends_of_a_sale_are_told_as_well(world: World) -> None:
    """Cancelled and Refunded."""
    cancelled = world.send(world.seller, world.list().cancel())
    assert _only(world, cancelled) == {"event": "Cancelled"}
    refunded = world.send(world.seller, world.sold(window_s=HOUR_S).refund())
    assert _only(world, refunded) == {"event": "Refunded", "buyer": world.buyer.address, "amount_wei": PRICE_WEI}


@pytest.mark.row("N4")
def test_a_devices_life_can_be_read_back(world: World) -> None:
    """Site, operator, device, rotation and end."""
    registry, operator = world.registry, world.operator.address
    opened = _only(world, world.send(world.operator, registry.open_site("Hall N")))
    assert opened == {"event": "SiteOpened", "site": opened["site"], "operator": operator, "name": "Hall N"}
    device, device_id = world.new_device(opened["site"])
    consent = world.consent(device, opened["site"], NEVER, device_id)
    receipt = world.send(world.operator, registry.rotate(device_id, device.address, NEVER, CERTIFICATE, consent))
    facts = {"id": device_id, "site": opened["site"], "device": device.address, "until": NEVER}
    assert _only(world, receipt) == {"event": "Rotated", **facts, "certificate": CERTIFICATE}
    assert _only(world, world.send(world.operator, registry.decommission(device_id))) == {
        "event": "Decommissioned",
        "id": device_id,
    }
    closed = _only(world, world.send(world.operator, registry.close_site(opened["site"])))
    assert closed == {"event": "SiteClosed", "site": opened["site"]}


def test_logs_as_a_nodes_json_has_them_read_the_same(anvil_world: World) -> None:
    """Hex strings instead of web3.py's types."""
    world = anvil_world
    receipt = world.send(world.seller, world.factory.create_sale(world.listing()))
    plain = world.node.rpc("eth_getTransactionReceipt", receipt["transactionHash"].to_0x_hex())
    raw = [
        {key: value.to_0x_hex() if isinstance(value, HexBytes) else value for key, value in log.items()}
        for log in (plain["logs"] if isinstance(plain, dict) else plain.logs)
    ]
    assert [decode_log(log) for log in raw] == [decode_log(log) for log in receipt["logs"]]


@given(
    st.sampled_from([*TOPICS, "0x" + "00" * 32]),
    st.lists(st.binary(min_size=0, max_size=40), max_size=4),
    st.binary(max_size=300),
)
def test_no_log_of_a_stranger_can_break_the_decoder(topic: str, topics: list[bytes], data: bytes) -> None:
    """What is malformed is none of ours."""
    log = {
        "address": "0x" + "12" * 20,
        "topics": [HexBytes(topic), *map(HexBytes, topics)],
        "data": HexBytes(data),
        "blockNumber": 1,
        "blockHash": HexBytes(bytes(32)),
        "transactionHash": HexBytes(bytes(32)),
        "logIndex": 0,
    }
    event = decode_log(log)
    assert event is None or isinstance(event, events.Event)


@pytest.mark.parametrize(
    "odd",
    [
        {"blockNumber": None},
        {"blockHash": None},
        {"blockHash": "junk"},
        {"transactionHash": "0x12"},
        {"logIndex": None},
        {"topics": None},
        {"topics": ["0xzz"]},
        {"address": 5},
        {"data": None},
        {"removed": True},
    ],
    ids=str,
)
def test_a_log_that_is_not_mined_or_not_whole_is_none(odd: dict[str, object]) -> None:
    """Pending, undone, or bent by whoever hands it on; a missing field as well."""
    topic = next(topic for topic, kind in TOPICS.items() if kind is events.Cancelled)
    place = {"blockNumber": 1, "blockHash": "0x" + "00" * 32, "transactionHash": "0x" + "00" * 32, "logIndex": 0}
    log = {"address": "0x" + "12" * 20, "topics": [topic], "data": "0x", **place}
    assert isinstance(decode_log(log), events.Cancelled)
    assert decode_log(log | odd) is None
    for name in odd.keys() - {"removed"}:
        assert decode_log({key: value for key, value in log.items() if key != name}) is None


def test_a_log_without_topics_is_none_of_ours() -> None:
    """Anonymous events exist."""
    assert decode_log({"topics": [], "data": "0x"}) is None
