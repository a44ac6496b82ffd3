"""Follows the chain: blocks in ranges, each range tied to what is known by block hashes; undone blocks are undone."""

import logging
import threading
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import feed
from webapp.chain import Chain, Head
from webapp.database import Database
from webapp.errors import ForeignIndex
from webapp.index import ledger, store
from webapp.index.mapping import Entry
from webapp.index.reading import Span, read_span
from webapp.models import Block, SaleRow
from webapp.perseverance import persevere
from webapp.seat import seat_of

LOG = logging.getLogger(__name__)
RANGE = 500
LOCK = "index"
"""Whoever holds it writes the index, if it still stands where it was when the chain was asked. One process has the seat
of this name and follows; a second that thinks so too, while a seat changes hands, writes nothing twice."""


class Follower:
    """Brings the index to the chain's head, one range a step."""

    def __init__(self, database: Database, chain: Chain) -> None:
        """Index this chain into this database."""
        self._database = database
        self._chain = chain
        self._range = RANGE
        self._ours: ledger.Ours = {}
        for one in chain.deployments:
            self._ours |= {one.factory: "SaleFactory", one.registry: "DeviceRegistry"}

    def run(self, stop: threading.Event, every_s: float) -> None:
        """Follow until told to stop, while this process has the seat; what does not answer only delays."""
        seat = seat_of(self._database, LOCK)
        try:
            persevere(stop, min(every_s, 1.0), "index", lambda: seat.held() and self.step())
        finally:
            seat.leave()

    def catch_up(self) -> None:
        """Follow until the head is reached."""
        while self.step():
            pass

    def rebuild(self) -> None:
        """Forget the index and read the chain again."""
        with self._database.write(LOCK) as session:
            store.forget(session, self._chain.chain_id)
        self.catch_up()

    def step(self) -> bool:
        """Undo what the chain undid, then take in one range; return whether there is more."""
        head = self._chain.head()
        base = self._common_block()
        if base is None:
            base = self._start()
        if head.number <= base.number:
            return False
        span = read_span(self._chain, base, min(head.number, base.number + self._range))
        if span is None:
            return True
        with self._database.write(LOCK) as session:
            if store.top_hash(session, self._chain.chain_id) == base.hash:
                self._take_in(session, span)
        return int(span.top["number"]) < head.number

    def _take_in(self, session: Session, span: Span) -> None:
        chain_id, entries = self._chain.chain_id, self._ours_only(session, span.entries)
        store.take_in(session, chain_id, entries)
        ledger.take_in(session, span.blocks, span.sent, ledger.moved_sales(entries), self._ours)
        ledger.keep_refusals(session, span.refusals)
        feed.tell(session, chain_id, span.blocks, entries)
        store.stand_at(session, span.top)

    def _start(self) -> Head:
        genesis = self._chain.block(0)
        with self._database.write(LOCK) as session:
            if store.top_hash(session, self._chain.chain_id) is None:
                store.stand_at(session, {"chain_id": self._chain.chain_id, **asdict(genesis)})
        return genesis

    def _common_block(self) -> Head | None:
        """Return the newest remembered block that the chain still has, and undo what lies above it.

        Above it another block must stand: a node that has none there only lags, as the next one asked may after the
        first was killed, and what it does not know yet is not undone.
        """
        newest = self._remembered(1)
        if not newest:
            return None
        if self._hash_at(newest[0].number) == newest[0].hash:
            return _head_of(newest[0])
        for block in self._remembered():
            if self._hash_at(block.number) == block.hash:
                if self._hash_at(block.number + 1) is None:
                    return _head_of(newest[0])
                LOG.info("index: blocks above %d were undone", block.number)
                self._undo(newest[0], block.number)
                return _head_of(block)
        raise ForeignIndex(
            "The index belongs to another chain. Run `lading-web index rebuild`, or use another run folder."
        )

    def _remembered(self, most: int | None = None) -> list[Block]:
        with self._database.read() as session:
            return store.newest(session, self._chain.chain_id, most)

    def _undo(self, top: Block, down_to: int) -> None:
        with self._database.write(LOCK) as session:
            if store.top_hash(session, self._chain.chain_id) == top.hash:
                store.undo_above(session, self._chain.chain_id, down_to)
                feed.take_back(session, self._chain.chain_id, down_to)

    def _hash_at(self, number: int) -> str | None:
        block = self._chain.node.call("eth_getBlockByNumber", hex(number), False)
        return None if block is None else str(block["hash"])

    def _ours_only(self, session: Session, entries: list[Entry]) -> list[Entry]:
        """Drop what contracts that are not ours said."""
        strangers = {entry.address for entry in entries if entry.address not in self._ours}
        known_sales: set[str] = set()
        ordered = sorted(strangers)
        for start in range(0, len(ordered), store.CHUNK):
            query = select(SaleRow.address).where(SaleRow.address.in_(ordered[start : start + store.CHUNK]))
            known_sales.update(session.scalars(query))
        kept = []
        for entry in entries:
            registered = entry.address in self._ours
            if registered and entry.name == "Listed":
                known_sales.add(entry.args["sale"])
            if registered or entry.address in known_sales:
                kept.append(entry)
        return kept


def _head_of(block: Block) -> Head:
    return Head(block.number, block.hash, block.parent_hash, block.timestamp)


def stands_at(database: Database, chain_id: int) -> int:
    """Return the newest block that the index has taken in; -1 before the first."""
    with database.read() as session:
        query = select(Block.number).where(Block.chain_id == chain_id).order_by(Block.number.desc()).limit(1)
        number = session.scalar(query)
    return -1 if number is None else number
