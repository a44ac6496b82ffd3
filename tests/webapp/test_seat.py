"""One process of all that share a database has the seat; whoever ends, hangs or is cut off loses it."""

import pytest
from sqlalchemy import text
from worlds import wait_for

from webapp.database import Database
from webapp.seat import SILENT_S, seat_of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_one_has_the_seat_until_it_leaves(kind, server, tmp_path):
    """The second is told no, and gets it when the first leaves."""
    url = server.url if kind == "postgres" else f"sqlite:///{tmp_path}/web.sqlite"
    databases = [Database(url), Database(url)]
    first, second = (seat_of(one, "test") for one in databases)
    assert [first.held(), second.held(), first.held(), second.held()] == [True, False, True, False]
    first.leave()
    assert [second.held(), first.held()] == [True, False]
    for seat in (first, second):
        seat.leave()
    for one in databases:
        one.close()


def test_who_hangs_or_is_cut_off_loses_the_seat(server, database):
    """Silent for seconds, or its session ended by the server: the next one has it, and the last hears of it."""
    first, second, third = (seat_of(database, "hang") for _ in range(3))
    assert first.held()
    wait_for(second.held)
    assert not first.held()
    with database.engine.connect() as session:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'lading hang %'"
        session.execute(text(ended))
    wait_for(third.held)
    assert not second.held()
    third.leave()
    assert SILENT_S < 5
