"""The explorer: everything of the chain from the index, decoded, linked, and no buyer named to a stranger."""

import pytest
from test_index import listing
from test_ledger import sold, transactions

from contracts.interface import function
from webapp.explorer.consistency import Told, side_by_side


@pytest.mark.row("T6")
def test_search_finds_hashes_addresses_blocks_and_serial_numbers(world, browser):
    """Whatever one types leads to its page; goods by their number; nonsense is said to be nothing."""
    sale, someone = sold(world), browser()
    bought, head = transactions(world)[-1], world.parts.chain.head()
    for text, found in (
        (bought.hash, f"/explorer/transaction/{bought.hash}"),
        (head.hash.upper().replace("0X", "0x"), f"/explorer/block/{head.number}"),
        (str(head.number), f"/explorer/block/{head.number}"),
        (sale.lower(), f"/explorer/address/{sale}"),
    ):
        answer = someone.client.get("/explorer", query_string={"q": text})
        assert (answer.status_code, answer.headers.get("Location")) == (302, found), text
        assert someone.client.get(found).status_code == 200
    assert f"/sales/{world.parts.chain.chain_id}/{sale}" in someone.page("/explorer?q=one")
    for text in ("0x12", "nothing", "0x" + "1" * 40 + "g", "99999999", "%00"):
        answer = someone.client.get("/explorer", query_string={"q": text})
        assert answer.status_code == 200
        assert "Nothing here has this" in answer.text, text


@pytest.mark.row("T6")
def test_blocks_and_transactions_are_told_and_linked(world, browser):
    """A block names its sealer, gas and transactions; a transaction its call, arguments, events and sale."""
    sale, someone = sold(world), browser("seller")
    listed, bought = transactions(world)[-2:]
    sealer = world.parts.chain.node.call("eth_getBlockByNumber", hex(bought.block), False)["miner"]
    page = someone.page(f"/explorer/block/{bought.block}")
    assert sealer.lower() in page.lower()
    assert bought.hash in page
    page = someone.page(f"/explorer/transaction/{listed.hash}")
    for word in ("createSale", "Nimbus", "alpha", "Listed"):
        assert word in page, word
    assert world.people["buyer"].address in someone.page(f"/explorer/transaction/{bought.hash}")
    life = someone.page(f"/sales/{world.parts.chain.chain_id}/{sale}")
    assert {listed.hash, bought.hash} <= set(life.replace('"', "/").split("/"))
    assert someone.client.get("/explorer/transaction/0x" + "5" * 64).status_code == 404
    assert someone.client.get("/explorer/block/99999").status_code == 404


def test_a_refused_transaction_says_why_and_a_voucher_s_signature_is_nowhere(world, browser):
    """A release that the contract refuses: its reason in words, its voucher's signature on no page and in no answer."""
    sale, someone = sold(world), browser("operator")
    signature = b"\x07" * 65
    data = function("Sale", "release").call_data(world.people["buyer"].address, 2_000_000_000, signature)
    node, other = world.parts.chain.node, world.people["other"].address
    node.call("anvil_impersonateAccount", other)
    node.call("eth_sendTransaction", {"from": other, "to": sale, "data": "0x" + data.hex(), "gas": hex(300_000)})
    node.call("anvil_mine")
    world.index()
    hash_ = transactions(world)[-1].hash
    page = someone.page(f"/explorer/transaction/{hash_}")
    assert "refused by the contract:" in page
    assert "65 bytes, not shown" in page
    for path in (f"/explorer/transaction/{hash_}", f"/api/v1/transactions/{hash_}", "/api/v1/transactions"):
        assert signature.hex() not in someone.page(path)
    stranger = browser().page(f"/explorer/transaction/{hash_}")
    assert other not in stranger
    assert world.people["buyer"].address not in stranger


def test_lists_go_on_where_they_stopped(world, browser):
    """Older pages begin after the last row; no row is lost or shown twice."""
    for number in range(3):
        world.call("seller", world.parts.chain.factory.create_sales([listing(f"{number}-{i}") for i in range(3)]))
    world.parts.chain.node.call("anvil_mine", "0x28")
    world.index()
    someone, seen, path = browser(), [], "/explorer/blocks"
    while path:
        page = someone.page(path)
        rows = [int(part.split('"')[0]) for part in page.split('data-name="Block"><a href="/explorer/block/')[1:]]
        seen += rows
        older = page.split('href="?before=')
        path = f"/explorer/blocks?before={older[1].split(chr(34))[0]}" if len(older) > 1 else ""
    head = world.parts.chain.head().number
    assert seen == list(range(head, 0, -1))
    assert someone.client.get("/explorer/blocks?before=x-y").status_code == 200


def test_addresses_say_what_they_are_and_buyers_purchases_stay_hidden(world, browser):
    """Factory, registry, sale, operator, seller; a buyer's account shows strangers neither balance nor purchases."""
    sale, someone = sold(world), browser()
    bought, buyer = transactions(world)[-1], world.people["buyer"].address
    for address, word in (
        (world.deployment.factory, "factory"),
        (world.deployment.registry, "registry"),
        (sale, "sale"),
        (world.people["operator"].address, "Harbour Logistics"),
        (world.people["seller"].address, "seller"),
    ):
        assert word in someone.page(f"/explorer/address/{address}"), word
    page = someone.page(f"/explorer/address/{buyer}")
    assert "not shown" in page
    assert bought.hash not in page
    assert "not shown" in someone.page(f"/explorer/address/{buyer}/balance")
    assert bought.hash in browser("buyer").page(f"/explorer/address/{buyer}")
    assert "ETH" in browser("buyer").page(f"/explorer/address/{buyer}/balance")


def test_nodes_stand_side_by_side_and_the_buyer_stays_unnamed(world, browser):
    """Two nodes that agree, one that is down, and no proof on a chain without seals: each is said in words."""
    from dataclasses import replace

    from webapp.explorer.consistency import compare

    sale = sold(world)
    settings = world.parts.settings.model_copy(update={"rpc": (world.url, world.url, "http://127.0.0.1:1")})
    view = compare(replace(world.parts, settings=settings), sale)
    assert view.agree
    assert [bool(told.trouble) for told in view.tellers] == [True, False, False, True]
    path = f"/explorer/consistency/{sale}"
    assert browser().client.get(path).status_code == 302
    assert world.people["buyer"].address in browser("seller").page(path)
    assert world.people["buyer"].address not in browser("other").page(path)


def test_what_is_proven_is_right_whatever_most_nodes_say():
    """Against the proof even three of three nodes differ."""
    proven, nodes = Told("proof", {"Status": "Sold"}), [Told(str(n), {"Status": "Released"}) for n in range(3)]
    [line] = side_by_side([proven, *nodes])
    assert [differs for _value, differs in line.cells] == [False, True, True, True]


def test_of_two_who_contradict_each_other_neither_is_right_without_a_proof():
    """A tie marks both; two of three mark the third; who is silent marks nobody."""
    for said, marked in (
        (["Sold", "Released"], [True, True]),
        (["Sold", "Released", "Sold"], [False, True, False]),
        ([None, "Sold"], [False, False]),
    ):
        nodes = [Told(str(n), {"Status": one} if one else {}) for n, one in enumerate(said)]
        [line] = side_by_side([Told("proof", {}), *nodes])
        assert [differs for _value, differs in line.cells] == [False, *marked]
