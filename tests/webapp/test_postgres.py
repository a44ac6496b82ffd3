"""PostgreSQL by URL: the same tables, the same rows, one writer at a time."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from test_index import CHAIN, KINDS, SALES, entries, followed_by_three, listing

from webapp.database import Database
from webapp.index import store
from webapp.models import Attempt


@pytest.fixture(scope="module")
def postgres(server):
    """The database on it."""
    database = Database(server.url)
    yield database
    database.close()


@pytest.mark.slow
def test_postgres_and_sqlite_tell_the_same(postgres, tmp_path):
    """Grown, undone, grown again: both databases hold the same rows; migrating twice changes nothing."""
    sqlite = Database(f"sqlite:///{tmp_path}/web.sqlite")
    told = []
    for database in (postgres, sqlite):
        database.migrate()
        database.migrate()
        names = sorted(KINDS, key=lambda name: name != "Listed")
        for branch, height in enumerate((3, 2, 5)):
            with database.write("index") as session:
                store.undo_above(session, CHAIN, 1)
                for number in range(2, 2 + height):
                    events = [("Listed", at) for at in SALES] + [(name, SALES[0]) for name in names[1:]]
                    fresh = events if number == 2 else [event for event in events if event[0] != "Listed"]
                    store.take_in(session, CHAIN, entries(number, fresh, branch))
        with database.read() as session:
            told.append(store.canonical(session, CHAIN))
    sqlite.close()
    assert told[0] == told[1]
    assert "Nimbus" in told[0]


@pytest.mark.slow
def test_two_writers_of_one_name_wait_for_each_other(postgres):
    """The advisory lock: counting up from many threads loses nothing."""
    postgres.migrate()

    def count_up(_turn):
        with postgres.write("nonce:0x1") as session:
            newest = session.query(Attempt).filter_by(subject="count").count()
            session.add(Attempt(subject="count", at=newest))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, range(40)))
    with postgres.read() as session:
        assert sorted(row.at for row in session.query(Attempt).filter_by(subject="count")) == list(range(40))


@pytest.mark.slow
def test_of_many_processes_that_follow_one_chain_one_writes_at_a_time(postgres, world):
    """Three followers on one PostgreSQL: the index is what one alone would have made."""
    chain = world.parts.chain
    for number in range(12):
        world.call("seller", chain.factory.create_sale(listing(str(number))))
    world.index()
    with world.parts.database.read() as session:
        alone = store.canonical(session, chain.chain_id)
    assert followed_by_three(postgres.url, chain) == alone
