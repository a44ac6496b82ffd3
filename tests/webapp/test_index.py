"""The index is what the chain's logs say, however they came in and whatever was undone on the way."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.factory import Listing
from contracts.sale import Status
from contracts.terms import Terms, encode_terms
from webapp.database import Database
from webapp.index import reading, store
from webapp.index.follower import Follower
from webapp.index.mapping import Entry
from webapp.models import SaleRow

CHAIN = 7
SALES = [to_checksum_address(f"0x{number:040x}") for number in (1, 2, 3)]
PERSON = to_checksum_address(f"0x{99:040x}")


def terms_of(number: int) -> str:
    """Return the terms of the n-th sale as the factory's event carries them."""
    terms = Terms(PERSON, 10**18, 86_400 * number, 1, 0, 2019, "Nimbus", "alpha", str(number))
    return "0x" + encode_terms(terms).hex()


KINDS = {
    "Listed": lambda at: {"sale": at, "seller": PERSON, "raw_terms": terms_of(SALES.index(at))},
    "Sold": lambda _at: {"buyer": PERSON, "price_wei": 10**18},
    "Revoked": lambda _at: {"buyer": PERSON, "attempt": 1},
    "Releasing": lambda _at: {"buyer": PERSON, "device": 4, "attempt": 1},
    "Aborted": lambda _at: {"device": 4, "attempt": 2},
    "Released": lambda _at: {"device": 4},
    "Undelivered": lambda _at: {"to": PERSON, "amount_wei": 5},
    "Withdrawn": lambda _at: {"to": PERSON, "amount_wei": 5},
    "Refunded": lambda _at: {"buyer": PERSON, "amount_wei": 10**18},
    "Cancelled": lambda _at: {},
    "SiteOpened": lambda _at: {"site": 1, "operator": PERSON, "name": "Dock"},
    "SiteClosed": lambda _at: {"site": 1},
    "OperatorListed": lambda _at: {"operator": PERSON, "name": "Harbour"},
    "OperatorDelisted": lambda _at: {"operator": PERSON},
    "Provisioned": lambda at: {"id": 1, "site": 1, "device": at, "until": 9, "certificate": "0x00"},
    "Rotated": lambda at: {"id": 1, "site": 1, "device": at, "until": 8, "certificate": "0x01"},
    "Decommissioned": lambda _at: {"id": 1},
}

event = st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from(SALES))
block = st.lists(event, max_size=4)
move = st.one_of(
    st.tuples(st.just("grow"), st.lists(block, min_size=1, max_size=4)), st.tuples(st.just("undo"), st.integers(1, 4))
)


def entries(number: int, events: list[tuple[str, str]], branch: int) -> list[Entry]:
    """Return a block's entries; the branch makes the hashes of undone blocks differ."""
    return [
        Entry(
            CHAIN,
            number,
            index,
            f"0x{branch:032x}{number:032x}",
            f"0x{branch:060x}{index:04x}",
            number,
            at,
            name,
            KINDS[name](at),
        )
        for index, (name, at) in enumerate(events)
    ]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two empty indexes, emptied again for every example."""
    folder = tmp_path_factory.mktemp("pair")
    made = [Database(f"sqlite:///{folder / name}") for name in ("grown", "rebuilt")]
    for database in made:
        database.migrate()
    yield made
    for database in made:
        database.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(move, max_size=8))
@pytest.mark.row("N11")
def test_any_interleaving_of_batches_and_reorganisations_gives_the_rebuilt_index(pair, moves):
    """Incremental with undone blocks equals one pass over what is left."""
    grown, rebuilt = pair
    for database in pair:
        with database.write() as session:
            store.forget(session, CHAIN)
    chain: list[list[Entry]] = []
    for branch, (kind, what) in enumerate(moves):
        if kind == "grow":
            fresh = [entries(len(chain) + offset + 1, events, branch) for offset, events in enumerate(what)]
            chain += fresh
            with grown.write() as session:
                store.take_in(session, CHAIN, [entry for one in fresh for entry in one])
        else:
            chain = chain[: max(0, len(chain) - what)]
            with grown.write() as session:
                store.undo_above(session, CHAIN, len(chain))
    with rebuilt.write() as session:
        store.take_in(session, CHAIN, [entry for one in chain for entry in one])
    with grown.read() as one, rebuilt.read() as other:
        assert store.canonical(one, CHAIN) == store.canonical(other, CHAIN)


def listing(number: str) -> Listing:
    """Return a small listing."""
    return Listing("Nimbus", "alpha", number, 2019, 10**18, 0, 1)


def statuses(world):
    """Return number to status of every sale in the index."""
    with world.parts.database.read() as session:
        return {row.number: row.status for row in session.query(SaleRow).all()}


def test_the_follower_undoes_what_the_chain_undid(world):
    """A node taken back: sales of undone blocks vanish, their successors appear, and rebuilding changes nothing."""
    chain = world.parts.chain
    world.call("seller", chain.factory.create_sale(listing("kept")))
    world.index()
    snapshot = chain.node.call("evm_snapshot")
    world.call("seller", chain.factory.create_sale(listing("undone")))
    kept = chain.factory.find(world.people["seller"].address, listing("kept"))
    world.call("buyer", chain.sale(kept).buy(10**18))
    world.index()
    assert statuses(world) == {"kept": Status.SOLD, "undone": Status.LISTED}
    chain.node.call("evm_revert", snapshot)
    world.call("seller", chain.factory.create_sale(listing("instead")))
    chain.node.call("anvil_mine", "0x3")
    world.index()
    assert statuses(world) == {"kept": Status.LISTED, "instead": Status.LISTED}
    with world.parts.database.read() as session:
        before = store.canonical(session, chain.chain_id)
    Follower(world.parts.database, chain).rebuild()
    with world.parts.database.read() as session:
        assert store.canonical(session, chain.chain_id) == before


def test_a_node_that_only_lags_undoes_nothing(world):
    """It has fewer blocks, the same ones: what it does not know yet stays in the index; another block undoes it."""
    chain = world.parts.chain
    world.call("seller", chain.factory.create_sale(listing("kept")))
    world.index()
    snapshot = chain.node.call("evm_snapshot")
    world.call("seller", chain.factory.create_sale(listing("unknown yet")))
    chain.node.call("anvil_mine", "0x2")
    world.index()
    top = chain.head().number
    chain.node.call("evm_revert", snapshot)
    assert chain.head().number == top - 3
    world.index()
    assert statuses(world) == {"kept": Status.LISTED, "unknown yet": Status.LISTED}
    chain.node.call("anvil_mine", "0x1")
    world.index()
    assert statuses(world) == {"kept": Status.LISTED}


def test_a_contract_that_imitates_our_events_is_not_indexed(world, tmp_path):
    """Only what our factory listed counts: another deployment's sales stay out."""
    from contracts.deployment import deploy
    from contracts.factory import SaleFactory
    from contracts.registry import DeviceRegistry

    chain = world.parts.chain
    foreign = deploy(chain.w3, world.treasury, tmp_path / "foreign.json")
    registry = DeviceRegistry.at(chain.w3, foreign.registry)
    from contracts.calls import send

    send(chain.w3, world.treasury, registry.list_operator(world.people["operator"].address, "Imitator"))
    world.call("operator", registry.open_site("Imitated"))
    world.call("seller", SaleFactory.at(chain.w3, foreign.factory).create_sale(listing("foreign")))
    world.index()
    assert statuses(world) == {}


def followed_by_three(database_url: str, chain) -> str:
    """Let three followers with connections of their own catch up at once; return what the index says."""
    databases = [Database(database_url) for _ in range(3)]
    databases[0].migrate()
    followers = [Follower(database, chain) for database in databases]
    for follower in followers:
        follower._range = 2
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(follower.catch_up) for follower in followers]:
            done.result()
    followers[0].catch_up()
    with databases[0].read() as session:
        said = store.canonical(session, chain.chain_id)
    for database in databases:
        database.close()
    return said


def test_of_many_followers_one_writes_at_a_time(world, tmp_path):
    """Three on one database: nothing is taken in twice, nothing is left out."""
    chain = world.parts.chain
    for number in range(12):
        world.call("seller", chain.factory.create_sale(listing(str(number))))
    world.index()
    with world.parts.database.read() as session:
        alone = store.canonical(session, chain.chain_id)
    assert followed_by_three(f"sqlite:///{tmp_path}/shared.sqlite", chain) == alone


def test_an_index_of_another_chain_is_refused_in_words(world):
    """A genesis that differs is no reorganisation."""
    from sqlalchemy import update

    from webapp.errors import ForeignIndex
    from webapp.models import Block

    with world.parts.database.write() as session:
        session.execute(update(Block).values(hash="0x" + "11" * 32))
    with pytest.raises(ForeignIndex, match="another chain"):
        world.index()


def test_a_row_of_full_blocks_is_asked_for_in_parts(world, monkeypatch):
    """However much the blocks hold, one answer of a node holds only so many transactions; all are taken in."""
    monkeypatch.setattr(reading, "ENOUGH", 3)
    node, told = world.parts.chain.node, []
    whole = node.batch

    def batch(calls):
        answers = whole(calls)
        told.append(sum(len(one["transactions"]) for one in answers if isinstance(one, dict) and "transactions" in one))
        return answers

    monkeypatch.setattr(node, "batch", batch)
    Follower(world.parts.database, world.parts.chain).rebuild()
    mined = sum(
        len(world.parts.chain.w3.eth.get_block(n)["transactions"]) for n in range(world.parts.chain.head().number + 1)
    )
    assert sum(told) == mined > max(told) == 3
