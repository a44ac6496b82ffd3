"""What goes wrong with people: each way out that the help page names works on the pages."""

import re
import time

from test_selling_and_buying import LISTING, buy, contract_of, list_item
from worlds import ETHER, PASSPHRASE, wait_for

from contracts.factory import Listing
from contracts.sale import Status
from webapp.models import AuditRow, SaleRow, ThingRow
from webapp.pages.tasks import NEVER_CAME_S


def page_of(world, address):
    """Return the path of a sale's page."""
    return f"/sales/{world.parts.chain.chain_id}/{address}"


def refund(world, browser, who, address):
    """Send the page's refund form as somebody."""
    path = page_of(world, address)
    answer = browser(who).post(f"{path}/refund", {"passphrase": PASSPHRASE}, page=path)
    assert answer.status_code == 303, re.findall(r'class="(?:wrong|note error)"[^>]*>([^<]+)', answer.text)
    world.settle()


def wealth(world, who):
    """Return somebody's wei."""
    return world.parts.chain.balance(world.people[who].address)


def test_damaged_goods_are_paid_back_by_their_seller(world, browser):
    """Before they are collected, and with escrow, the seller's form gives the buyer the whole price back."""
    address = contract_of(world, browser, list_item(world, browser, settlement="30"))
    buy(world, browser, address)
    before = wealth(world, "buyer")
    assert "Refund the buyer" in browser("seller").page(page_of(world, address))
    refund(world, browser, "seller", address)
    assert world.parts.chain.sale(address).status() is Status.REFUNDED
    assert wealth(world, "buyer") == before + 50 * ETHER


def test_a_buyer_who_never_comes_is_on_the_operator_s_list_and_may_take_the_money_back(world, browser):
    """Listed two weeks after the payment and not before, written down as a read; the refund date opens the form."""
    goods, chain = Listing("Nimbus", "alpha", "late", 2019, 50 * ETHER, 1, 1), world.parts.chain
    world.call("seller", chain.factory.create_sale(goods))
    world.index()
    address = chain.factory.find(world.people["seller"].address, goods)
    buy(world, browser, address)
    operator = browser("operator")
    for age, listed in ((NEVER_CAME_S - 600, False), (NEVER_CAME_S + 1, True)):
        with world.parts.database.write() as session:
            row = session.get(SaleRow, (chain.chain_id, address))
            row.sold_at, refundable_at = int(time.time()) - age, row.refundable_at
        page = operator.page("/warehouse/tasks")
        assert ("Paid and not collected" in page, page_of(world, address) in page) == (listed, listed)
    with world.parts.database.read() as session:
        assert session.query(AuditRow).filter_by(action="read-pickups", subject="overdue").count() == 1
    wait_for(lambda: time.time() > refundable_at)
    wait_for(lambda: chain.node.call("evm_mine") and chain.head().timestamp >= refundable_at)
    assert "Take the money back" in browser("buyer").page(page_of(world, address))
    refund(world, browser, "buyer", address)
    assert chain.sale(address).status() is Status.REFUNDED


def test_a_seller_who_leaves_lists_nothing_more_and_what_is_sold_is_collected(world, browser):
    """Ended by the operator: no form, no name on what is still offered; a receipt that was paid for stays."""
    sold = contract_of(world, browser, list_item(world, browser))
    offered = contract_of(world, browser, list_item(world, browser, number="offered"))
    buy(world, browser, sold)
    path = f"/warehouse/sellers/{world.people['seller'].id}/end"
    assert browser("operator").post(path, page="/warehouse/sellers").status_code == 303
    assert browser("seller").client.post("/sell/new", data=LISTING).status_code in (400, 403)
    assert "unknown seller" in browser("other").page(page_of(world, offered))
    assert browser("buyer").client.get(f"/receipts/{world.parts.chain.chain_id}/{sold}/barcode.png").status_code == 200


def test_a_device_that_is_half_provisioned_is_on_the_list(world, browser):
    """What was begun stands there until it is done."""
    facts = {"chain_id": world.parts.chain.chain_id, "device_id": None, "site": 1, "steps": {}}
    with world.parts.database.write() as session:
        session.add(ThingRow(thing="gate-9", state="begun", **facts))
    page = browser("operator").page("/warehouse/tasks")
    assert "Devices half provisioned" in page
    assert "/warehouse/devices/gate-9" in page
