"""Many buyers at once: one owner, all others told so, money exact."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from eth_account import Account
from test_selling_and_buying import contract_of, list_item
from worlds import ETHER

from contracts.sale import Status
from webapp.outbox import Planned, State


def test_a_double_click_buys_once(world, browser):
    """The same form sent twice, and from two threads: one transaction."""
    address = contract_of(world, browser, list_item(world, browser))
    page = f"/sales/{world.parts.chain.chain_id}/{address}"
    clients = [browser("buyer") for _ in range(2)]
    form = clients[0].tokens(clients[0].page(page))["form_key"]

    def click(one):
        data = {**one.tokens(one.page("/account")), "form_key": form, "passphrase": "correct horse battery"}
        return one.client.post(f"{page}/buy", data=data).headers.get("Location")

    with ThreadPoolExecutor(2) as pool:
        places = list(pool.map(click, clients))
    assert places[0] == places[1]
    world.settle()
    assert world.parts.chain.sale(address).status() == Status.SOLD


@pytest.mark.slow
def test_of_two_hundred_buyers_one_becomes_the_owner(world, browser):
    """All sign before the first block: one pays, 199 are told why and keep their money but the gas."""
    address = contract_of(world, browser, list_item(world, browser))
    chain, parts = world.parts.chain, world.parts
    buyers = [Account.create() for _ in range(200)]
    for buyer in buyers:
        chain.node.call("anvil_setBalance", buyer.address, hex(60 * ETHER))
    chain.node.call("evm_setAutomine", False)
    call = chain.sale(address).buy(50 * ETHER)
    user = world.people["buyer"]

    def buy(numbered):
        number, buyer = numbered
        return parts.outbox.submit(user.id, bytes(buyer.key), f"{number:032x}", [Planned(call, "buy", address)])[0]

    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(buy, enumerate(buyers)))
    chain.node.call("evm_setAutomine", True)
    while int(chain.node.call("txpool_status")["pending"], 16):
        chain.node.call("anvil_mine", "0x1")
    before_seller = 1000 * ETHER
    world.settle()
    with parts.database.read() as session:
        rows = [session.get(type(sent[0]), row.id) for row in sent]
    done = [row for row in rows if row.state == State.DONE]
    lost = [row for row in rows if row.state == State.FAILED]
    assert (len(done), len(lost)) == (1, 199)
    assert all(row.error for row in lost)
    assert chain.sale(address).get_item().buyer == done[0].sender
    for row in rows:
        price = 50 * ETHER if row is done[0] else 0
        assert chain.balance(row.sender) == 60 * ETHER - price - row.fee_wei
    assert chain.balance(world.people["seller"].address) > before_seller + 49 * ETHER


def test_a_late_buyer_is_told_before_anything_is_sent(world, browser):
    """The contract's refusal is shown beside the form; the account is untouched."""
    address = contract_of(world, browser, list_item(world, browser))
    page = f"/sales/{world.parts.chain.chain_id}/{address}"
    late = browser("other")
    hidden = late.tokens(late.page(page))
    world.call("buyer", world.parts.chain.sale(address).buy(50 * ETHER))
    answer = late.client.post(f"{page}/buy", data={**hidden, "passphrase": "correct horse battery"})
    assert answer.status_code == 400
    assert re.search(r'role="alert">[^<]*Nothing was sent', answer.text)


def test_who_cannot_pay_is_told_the_sums(world, browser):
    """Balance and need in ETH; nothing sent."""
    address = contract_of(world, browser, list_item(world, browser, price="5000"))
    page = f"/sales/{world.parts.chain.chain_id}/{address}"
    answer = browser("buyer").post(f"{page}/buy", {"passphrase": "correct horse battery"}, page=page)
    assert "This account holds" in answer.text
