"""The market finds goods by any part of what they are called, with few queries however many there are."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, update
from worlds import ETHER

from contracts.factory import Listing
from webapp.bench.made_up import CHAIN, listed
from webapp.bench.reading import take_in
from webapp.catalogue import PAGE
from webapp.models import Base, SaleRow

GOODS = 1_100
VIEWS = (
    ("/", "1000+ for sale"),
    ("/?q=föhn+m123", "for sale, matching"),
    ("/?q=no+such+thing", "Nothing matches"),
    ("/?site=2&sort=cheap", "for sale"),
    ("/?page=43&sort=dear", "Page 43"),
    ("/?page=400", "Nothing matches"),
)


def test_many_goods_take_few_queries_and_none_is_lost(world, browser):
    """Five queries a page at most; cheapest first, page after page: no item twice, none left out, prices never fall."""
    take_in(world.parts.database, [listed(number) for number in range(GOODS)])
    with world.parts.database.write() as session:
        ours = update(SaleRow).where(SaleRow.chain_id == CHAIN).values(chain_id=world.parts.chain.chain_id)
        session.execute(ours)
    someone, said = browser("buyer"), []
    event.listen(world.parts.database.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    for query, words in VIEWS:
        said.clear()
        assert words in someone.page(query)
        assert sum(statement != "BEGIN" for statement in said) <= 5, query
    client, last = someone.client, -(-GOODS // PAGE)
    found = [client.get(f"/api/v1/market?sort=cheap&page={page}").json["sales"] for page in range(1, last + 1)]
    prices = [int(sale["price_wei"]) for page in found for sale in page]
    assert prices == sorted(prices)
    assert len({sale["address"] for page in found for sale in page}) == len(prices) == GOODS


def test_one_s_own_pages_take_few_queries(world, browser):
    """Five at most, of many goods as of one: the sale's page, orders, receipt, sales, the forms, the account."""
    goods = [Listing("Nimbus", "alpha", str(number), 2019, ETHER, 86_400, world.site) for number in range(60)]
    chain, seller = world.parts.chain, world.people["seller"].address
    for part in (goods[:30], goods[30:]):
        world.call("seller", chain.factory.create_sales(part))
    bought = [f"{chain.chain_id}/{chain.factory.find(seller, one)}" for one in goods[:3]]
    for sale in bought[:2]:
        world.call("buyer", chain.sale(sale.split("/")[1]).buy(ETHER))
    world.index()
    said: list[str] = []
    event.listen(world.parts.database.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    theirs = {
        "buyer": (
            *(f"/sales/{sale}" for sale in bought),
            f"/receipts/{bought[0]}",
            "/orders",
            "/transactions",
            "/account",
        ),
        "seller": (f"/sales/{bought[0]}", "/sell", "/sell?page=2", "/sell/new", "/sell/batch"),
    }
    for who, paths in theirs.items():
        someone = browser(who)
        for path in paths:
            said.clear()
            someone.page(path)
            assert sum(statement.startswith("SELECT") for statement in said) <= 5, (path, said)


def test_the_migrations_make_the_tables_of_this_version(world):
    """What Alembic builds is what the models say, indexes included."""
    with world.parts.database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
