"""The outbox: signed bytes are stored before they are sent, and sent again until they are mined or impossible."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from contracts.calls import Call
from webapp.chain import Chain
from webapp.database import Database
from webapp.errors import NodeUnreachable
from webapp.fee_market import Signer
from webapp.keystore import address_of
from webapp.models import Transaction, now
from webapp.node import RpcError


class State(StrEnum):
    """Where a transaction stands."""

    STORED = "stored"
    SENT = "sent"
    MINED = "mined"
    DONE = "done"
    FAILED = "failed"
    """Mined and reverted."""
    REFUSED = "refused"
    """No node ever took it; its nonce is free again."""
    REPLACED = "replaced"
    """Another transaction of the same account took its nonce."""


AT_ONCE = 500
"""Rows a query: databases take a bounded number of values."""
_TABLE = cast("Table", Transaction.__table__)
OPEN = (State.STORED, State.SENT, State.MINED)


@dataclass(frozen=True)
class Planned:
    """A call that someone is about to sign, and what it is for."""

    call: Call
    purpose: str
    subject: str
    details: dict[str, Any] = field(default_factory=dict)


class Outbox:
    """Signs at reserved nonces and keeps what was signed."""

    def __init__(self, database: Database, chain: Chain) -> None:
        """Keep in this database what goes to this chain."""
        self._database = database
        self._chain = chain

    def find(self, user_id: int, idempotency_key: str) -> list[Transaction]:
        """Return what this form has already sent; empty the first time."""
        with self._database.read() as session:
            return _of_form(session, user_id, idempotency_key)

    def submit(self, user_id: int, key: bytes, form: str, planned: Sequence[Planned]) -> list[Transaction]:
        """Sign and store the calls of one form at successive nonces, then send them.

        A form sent twice gets the first one's transactions back. `form` is its idempotency key.

        Raises:
            NodeUnreachable: no node tells the account's nonce; nothing is stored.
        """
        sender = address_of(key)
        mined, fees = self._chain.standing(sender)
        with self._database.write(f"nonce:{sender}") as session:
            rows = _of_form(session, user_id, form)
            if rows:
                return rows
            nonces = _free_nonces(session, self._chain.chain_id, sender, mined, len(planned))
            signer, values = Signer(key, self._chain.chain_id), []
            for part, (plan, (nonce, tries)) in enumerate(zip(planned, nonces, strict=True)):
                signed = signer.sign(plan.call, nonce, (fees[0] + tries, fees[1] + tries))
                values.append({**self._planned(plan, (user_id, form, part, sender), nonce), **asdict(signed)})
            rows = _stored(session, values)
        self.broadcast(rows)
        return rows

    def record(
        self, user_id: int, form: str, sender: str, sent: tuple[str, int], plan: Planned, *, part: int = 0
    ) -> Transaction:
        """Keep hash and nonce of a transaction that the person's own wallet signed and sent; `part` of a form."""
        with self._database.write(f"nonce:{sender}") as session:
            known = [row for row in _of_form(session, user_id, form) if row.part == part]
            if known:
                return known[0]
            facts = {"state": State.SENT, "hash": sent[0], "raw": None, "sent_at": now()}
            return _stored(session, [{**self._planned(plan, (user_id, form, part, sender), sent[1]), **facts}])[0]

    def _planned(self, plan: Planned, whose: tuple[int, str, int, str], nonce: int) -> dict[str, Any]:
        """Return a row's values before it is signed; `whose`: account, form, part of it, address."""
        return {
            **dict(zip(("user_id", "idempotency_key", "part", "sender"), whose, strict=True)),
            "chain_id": self._chain.chain_id,
            "nonce": nonce,
            "purpose": plan.purpose,
            "subject": plan.subject,
            "details": plan.details,
            "state": State.STORED,
            "confirmations": 0,
            "created_at": now(),
            "sent_at": None,
        }

    def broadcast(self, rows: Sequence[Transaction]) -> None:
        """Send these, in order; where no node answers they stay stored and are sent later."""
        sendable = [row for row in rows if row.raw]
        calls = [("eth_sendRawTransaction", ["0x" + (row.raw or b"").hex()]) for row in sendable]
        try:
            answers = dict(zip([row.id for row in sendable], self._chain.node.batch(calls), strict=True))
        except (NodeUnreachable, RpcError):
            return
        taken = [row.id for row in sendable if not isinstance(answers[row.id], RpcError)]
        refused = [row.id for row in sendable if isinstance(answers[row.id], RpcError)]
        with self._database.write() as session:
            _mark_sent(session, taken)
            for row in fresh_rows(session, refused).values():
                if row.state in (State.STORED, State.SENT):
                    _after_refusal(row, answers[row.id])
        for row in sendable:
            row.state = State.SENT if row.id in taken else row.state


def _mark_sent(session: Session, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), AT_ONCE):
        these = (_TABLE.c.id.in_(ids[start : start + AT_ONCE]), _TABLE.c.state.in_((State.STORED, State.SENT)))
        session.execute(update(_TABLE).where(*these), {"state": State.SENT, "sent_at": now()})


def fresh_rows(session: Session, ids: Sequence[int]) -> dict[int, Transaction]:
    """Return these transactions as they are now, by id; many in one query."""
    found: dict[int, Transaction] = {}
    for start in range(0, len(ids), AT_ONCE):
        query = select(Transaction).where(Transaction.id.in_(ids[start : start + AT_ONCE]))
        found.update({row.id: row for row in session.scalars(query)})
    return found


def _of_form(session: Session, user_id: int, form: str) -> list[Transaction]:
    query = select(Transaction).where(Transaction.user_id == user_id, Transaction.idempotency_key == form)
    return list(session.scalars(query.order_by(Transaction.part)))


def _free_nonces(session: Session, chain_id: int, sender: str, mined: int, count: int) -> list[tuple[int, int]]:
    """Return the lowest nonces that nothing open uses, gaps first, each with how often it was tried in vain.

    So many wei more a gas make the same call at the same nonce another transaction, with a hash of its own.
    """
    mine = (Transaction.chain_id == chain_id, Transaction.sender == sender, Transaction.nonce >= mined)
    known = session.execute(select(Transaction.nonce, Transaction.state).where(*mine)).all()
    in_vain = Counter(nonce for nonce, state in known if state in (State.REFUSED, State.REPLACED))
    used = {nonce for nonce, state in known if state not in (State.REFUSED, State.REPLACED)}
    free = (candidate for candidate in itertools.count(mined) if candidate not in used)
    return [(nonce, in_vain[nonce]) for nonce in itertools.islice(free, count)]


def _stored(session: Session, values: list[dict[str, Any]]) -> list[Transaction]:
    """Insert these rows in one statement, past the unit of work: it costs more than their signatures."""
    fresh = insert(_TABLE).returning(_TABLE.c.id, sort_by_parameter_order=True)
    ids = session.scalars(fresh, values).all()
    return [Transaction(id=one, **row) for one, row in zip(ids, values, strict=True)]


_HARMLESS = ("already known", "already imported", "known transaction", "nonce too low", "already in")


def _after_refusal(row: Transaction, answer: RpcError) -> None:
    if any(word in str(answer).lower() for word in _HARMLESS):
        row.state, row.sent_at = State.SENT, now()
    elif row.state == State.STORED and row.sent_at is None and "funds" in str(answer).lower():
        row.state, row.error = State.REFUSED, f"The node refused it: {answer}. Nothing was sent."
    else:
        row.error = str(answer)
