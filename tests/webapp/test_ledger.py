"""Blocks, transactions and the feed: everything that a node has, once, on the branch that stands."""

import pytest
from sqlalchemy import select
from test_index import listing

from webapp import feed
from webapp.index.calls import decode_call
from webapp.index.follower import Follower
from webapp.ledger_models import FeedRow, LedgerBlock, LedgerTransaction, Refusal


def transactions(world):
    """Return all transactions in the index, in the chain's order."""
    query = select(LedgerTransaction).order_by(LedgerTransaction.block, LedgerTransaction.position)
    with world.parts.database.read() as session:
        return list(session.scalars(query))


def told(world, after=0):
    """Return what was told: kind, block, and an order's name."""
    with world.parts.database.read() as session:
        rows = session.scalars(select(FeedRow).where(FeedRow.id > after).order_by(FeedRow.id))
        return [(row.kind, row.block, row.data.get("name", "")) for row in rows]


def newest(world):
    """Return the newest id of the feed."""
    with world.parts.database.read() as session:
        return session.scalar(select(FeedRow.id).order_by(FeedRow.id.desc()).limit(1))


def sold(world):
    """List one item and sell it; return its address."""
    chain = world.parts.chain
    world.call("seller", chain.factory.create_sale(listing("one")))
    sale = chain.factory.find(world.people["seller"].address, listing("one"))
    world.call("buyer", chain.sale(sale).buy(10**18))
    world.index()
    return sale


def test_every_block_and_transaction_of_the_node_is_there(world):
    """Hashes, parents, counts; calls by name with their arguments; which sale a transaction moves."""
    sale = sold(world)
    node, chain_id = world.parts.chain.node, world.parts.chain.chain_id
    head = world.parts.chain.head().number
    with world.parts.database.read() as session:
        kept = session.scalars(select(LedgerBlock).order_by(LedgerBlock.number)).all()
    said = [node.call("eth_getBlockByNumber", hex(number), False) for number in range(1, head + 1)]
    assert [(block.hash, block.count) for block in kept] == [(one["hash"], len(one["transactions"])) for one in said]
    assert [row.hash for row in transactions(world)] == [hash_ for one in said for hash_ in one["transactions"]]
    listed, bought = transactions(world)[-2:]
    assert (listed.call, listed.sale, listed.args["item"]["number"]) == ("createSale", None, "one")
    assert (bought.call, bought.sale, bought.value_wei, bought.chain_id) == ("buy", sale, str(10**18), chain_id)
    assert bought.succeeded


def test_a_refused_transaction_keeps_the_contract_s_own_reason(world):
    """A second purchase, mined and reverted: the index knows why, in words."""
    sale = sold(world)
    raw = world.parts.chain.sale(sale).buy(10**18)
    node, other = world.parts.chain.node, world.people["other"].address
    fields = {
        "from": other,
        "to": sale,
        "data": "0x" + bytes(raw.data).hex(),
        "value": hex(10**18),
        "gas": hex(200_000),
    }
    node.call("anvil_impersonateAccount", other)
    node.call("eth_sendTransaction", fields)
    node.call("anvil_mine")
    world.index()
    row = transactions(world)[-1]
    assert (row.call, row.succeeded) == ("buy", False)
    with world.parts.database.read() as session:
        assert "sold" in session.scalars(select(Refusal.words).where(Refusal.hash == row.hash)).one().lower()


def test_no_signature_comes_out_of_a_call():
    """What the index keeps of a release names the buyer's voucher and not what makes it valid."""
    from contracts.interface import function

    data = function("Sale", "release").call_data("0x" + "11" * 20, 2_000_000_000, b"\x07" * 65)
    name, args = decode_call("Sale", bytes(data))
    assert (name, args["expiresAt"], args["signature"]) == ("release", 2_000_000_000, "65 bytes, not shown")
    assert decode_call(None, bytes(data)) == (f"0x{data[:4].hex()}", {"bytes": len(data)})
    assert decode_call("Sale", bytes(data[:40]))[1] == {"unreadable": "40 bytes"}
    assert decode_call("Sale", b"") == ("", {})


@pytest.mark.row("M7", "M9")
def test_what_was_undone_is_taken_back_once_and_a_rebuild_tells_nothing_again(world):
    """A listener that folds the feed knows the chain as it stands, whatever was undone or read again."""
    chain = world.parts.chain
    world.call("seller", chain.factory.create_sale(listing("kept")))
    world.index()
    place, base, snapshot = newest(world), chain.head().number, chain.node.call("evm_snapshot")
    world.call("seller", chain.factory.create_sale(listing("undone")))
    world.index()
    chain.node.call("evm_revert", snapshot)
    world.call("seller", chain.factory.create_sale(listing("instead")))
    chain.node.call("anvil_mine", "0x2")
    world.index()
    branch = [("order", base + 1, "Listed"), ("block", base + 1, "")]
    expected = [*branch, (feed.UNDONE, base, ""), *branch, ("block", base + 2, ""), ("block", base + 3, "")]
    assert told(world, place) == expected
    Follower(world.parts.database, chain).rebuild()
    assert told(world, place) == expected


def test_a_rebuild_across_a_reorganisation_takes_back_what_no_longer_holds(world):
    """The index was thrown away while the chain changed: the feed notices by the blocks' hashes."""
    chain = world.parts.chain
    base, snapshot = chain.head().number, chain.node.call("evm_snapshot")
    world.call("seller", chain.factory.create_sale(listing("undone")))
    world.index()
    place = newest(world)
    chain.node.call("evm_revert", snapshot)
    world.call("seller", chain.factory.create_sale(listing("instead")))
    Follower(world.parts.database, chain).rebuild()
    assert told(world, place) == [(feed.UNDONE, base, ""), ("order", base + 1, "Listed"), ("block", base + 1, "")]


def test_old_rows_of_the_feed_go(world, monkeypatch):
    """The feed is bounded: the newest stay."""
    monkeypatch.setattr(feed, "KEEP", 5)
    world.parts.chain.node.call("anvil_mine", "0xa")
    world.index()
    assert len(told(world)) == 5
    assert told(world)[-1][:2] == ("block", world.parts.chain.head().number)


def test_a_plain_payment_is_a_transaction_too(world):
    """Money that moves past every contract of ours is seen."""
    world.fund(world.people["buyer"].address, 7)
    world.index()
    row = transactions(world)[-1]
    assert (row.call, row.value_wei, row.recipient) == ("", "7", world.people["buyer"].address)
