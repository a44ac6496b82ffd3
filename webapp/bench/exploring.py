"""What is explored: whole pages over a million transactions, from the index alone; no node answers."""

from pathlib import Path

from sqlalchemy import text

from webapp.app import create_app
from webapp.bench.figures import p95, say, spread
from webapp.bench.made_up import CHAIN, FACTORY, batches, listed
from webapp.bench.reading import empty_shop, take_in, view
from webapp.database import Database

TRANSACTIONS = 1_000_000
A_BLOCK = 20
SALES = 2_000
PEOPLE = 1_000
VIEWS = 30
SEALER, BUSY, BUYER = f"0x{11:040x}", f"0x{8:040x}", f"0x{7:040x}"
"""A sealer, and two of the thousand accounts that sent them: one lists, one buys, which strangers are not told."""
_COUNT = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {most})"
BLOCKS = f"""
{_COUNT.format(most=TRANSACTIONS // A_BLOCK)}
INSERT INTO ledger_blocks
SELECT {CHAIN}, i + 1, printf('0x%064x', i + 1), printf('0x%064x', i), 1700000000 + i, '{SEALER}',
       {A_BLOCK} * 60000, 30000000, {A_BLOCK} FROM n
"""  # noqa: S608  # numbers of ours
SENT = f"""
{_COUNT.format(most=TRANSACTIONS)}
INSERT INTO ledger_transactions
SELECT {CHAIN}, i / {A_BLOCK} + 1, i % {A_BLOCK}, printf('0x%064x', i + 1000000000), 1700000000 + i / {A_BLOCK},
       printf('0x%040x', i % {PEOPLE}), CASE WHEN i % 4 THEN printf('0x%040x', i % {SALES} + 1000) ELSE '{FACTORY}' END,
       NULL, '1000000000000000000', i / {PEOPLE}, 200000, 60000, 1,
       CASE WHEN i % 4 THEN printf('0x%040x', i % {SALES} + 1000) END,
       CASE WHEN i % 4 THEN 'buy' ELSE 'createSale' END, '{{"item": {{"make": "Nimbus", "number": "1"}}}}' FROM n
"""  # noqa: S608
MIDDLE = TRANSACTIONS // A_BLOCK // 2
PAGES = {
    "front page": "/explorer",
    "blocks": "/explorer/blocks",
    "blocks, half way down": f"/explorer/blocks?before={MIDDLE}",
    "transactions, half way down": f"/explorer/transactions?before={MIDDLE}-3",
    "a block": f"/explorer/block/{MIDDLE}",
    "a transaction": f"/explorer/transaction/0x{1000000000 + TRANSACTIONS // 2:064x}",
    "an account with a thousand": f"/explorer/address/{BUSY}",
    "an account whose thousand are hidden": f"/explorer/address/{BUYER}",
    "the factory, half way down": f"/explorer/address/{FACTORY}?before={MIDDLE}-0",
    "a hash looked up": f"/explorer?q=0x{1000000000 + 77:064x}",
    "a serial number looked up": "/explorer?q=1234",
    "nothing found": "/explorer?q=no+such+thing",
    "a sealer": f"/explorer/address/{SEALER}",
    "a hundred transactions as JSON": f"/api/v1/transactions?limit=100&cursor={MIDDLE}-3",
}


def pages(folder: Path) -> None:
    """Measure whole pages, warm, as somebody who is not signed in sees them: with all that privacy asks."""
    parts = empty_shop(folder / "explorer")
    for logs in batches(map(listed, range(SALES)), SALES):
        take_in(parts.database, logs)
    fill(parts.database)
    client = create_app(parts.settings, parts).test_client()
    for name, path in PAGES.items():
        view(client, path)
        times = [view(client, path) for _ in range(VIEWS)]
        say(f"explorer of {TRANSACTIONS:,} transactions, p95: {name}", p95(times), "ms", "<= 60",
            spread=spread(times, "ms"))  # fmt: skip
    parts.close()


def fill(database: Database) -> None:
    """Make up the blocks and transactions, inside the database."""
    with database.write() as session:
        for statement in (BLOCKS, SENT):
            session.execute(text(statement))
