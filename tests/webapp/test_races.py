"""Many buyers at once: one owner, all others told so, money exact."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Browser
from eth_account import Account
from test_selling_and_buying import contract_of, list_item
from worlds import ETHER, PASSPHRASE

from contracts.sale import Status
from webapp.models import Transaction, User
from webapp.outbox import State
from webapp.people import Role


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


def test_a_second_tab_waits_for_the_first(world, browser):
    """While the payment is in no block, another form about the same sale is refused: it would only cost gas."""
    address = contract_of(world, browser, list_item(world, browser))
    page, chain = f"/sales/{world.parts.chain.chain_id}/{address}", world.parts.chain
    someone = browser("buyer")
    tabs = [someone.tokens(someone.page(page)) for _ in range(2)]
    chain.node.call("evm_setAutomine", False)
    answers = [someone.client.post(f"{page}/buy", data={**tab, "passphrase": PASSPHRASE}) for tab in (*tabs, tabs[0])]
    chain.node.call("evm_setAutomine", True)
    chain.node.call("anvil_mine", "0x1")
    assert [answer.status_code for answer in answers] == [303, 400, 303]
    assert "on its way already" in answers[1].text
    assert answers[0].headers["Location"] == answers[2].headers["Location"]
    with world.parts.database.read() as session:
        assert session.query(Transaction).filter_by(purpose="buy").count() == 1


@pytest.fixture
def crowd(request, world, app):
    """Many people with a built-in account each, signed in."""
    users = []
    for number in range(request.param):
        key = Account.create()
        world.parts.chain.node.call("anvil_setBalance", key.address, hex(60 * ETHER))
        keystore = Account.encrypt(key.key, PASSPHRASE, kdf="scrypt", iterations=2)
        users.append(User(name=f"buyer {number}", address=key.address, role=Role.BUYER, keystore=keystore))
    with world.parts.database.write() as session:
        session.add_all(users)
    people = [Browser(app.test_client()) for _ in users]
    for user, person in zip(users, people, strict=True):
        with person.client.session_transaction() as session:
            session["user"], session["epoch"] = user.id, 0
    return people


@pytest.mark.slow
@pytest.mark.parametrize("crowd", [30, pytest.param(200, marks=pytest.mark.long)], indirect=True)
def test_of_many_buyers_one_becomes_the_owner(world, browser, crowd):
    """All send the form before the first block: one pays, the others are told why and keep all but the gas."""
    address = contract_of(world, browser, list_item(world, browser))
    chain, path = world.parts.chain, f"/sales/{world.parts.chain.chain_id}/{address}"
    before_seller = chain.balance(world.people["seller"].address)
    chain.node.call("evm_setAutomine", False)

    def buy(person):
        answer = person.post(f"{path}/buy", {"passphrase": PASSPHRASE}, page=path)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    with ThreadPoolExecutor(16) as pool:
        places = list(pool.map(buy, crowd))
    chain.node.call("evm_setAutomine", True)
    while int(chain.node.call("txpool_status")["pending"], 16):
        chain.node.call("anvil_mine", "0x1")
    world.settle()
    told = [person.page(place) for person, place in zip(crowd, places, strict=True)]
    assert sum("Your receipt and barcode" in page for page in told) == 1
    assert sum("The contract refused it in its block" in page for page in told) == len(crowd) - 1
    with world.parts.database.read() as session:
        rows = list(session.query(Transaction).filter_by(purpose="buy"))
    owner = next(row for row in rows if row.state == State.DONE)
    assert all(row.error for row in rows if row is not owner)
    assert chain.sale(address).get_item().buyer == owner.sender
    for row in rows:
        assert chain.balance(row.sender) == 60 * ETHER - (50 * ETHER if row is owner else 0) - row.fee_wei
    assert chain.balance(world.people["seller"].address) == before_seller + 50 * ETHER


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
