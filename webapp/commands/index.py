"""`lading-web index rebuild`: forget the index and read the chain again."""

import argparse
import sys
from typing import Any

from webapp.commands.accounts import opened
from webapp.settings import Settings


def add(commands: Any) -> None:
    """Add the command."""
    index = commands.add_parser("index", help="the index of the chain").add_subparsers(required=True)
    rebuild = index.add_parser("rebuild", help="forget the index and read the chain again; accounts are untouched")
    rebuild.set_defaults(run=_rebuild)


def _rebuild(_chosen: argparse.Namespace) -> int:
    from webapp.chain import Chain
    from webapp.index.follower import Follower, stands_at

    settings = Settings()
    chain, database = Chain.open(settings), opened(settings)
    Follower(database, chain).rebuild()
    sys.stdout.write(f"the index is rebuilt up to block {stands_at(database, chain.chain_id)}\n")
    database.close()
    chain.node.close()
    return 0
