"""Sends through the outbox and waits until it is settled, whether or not `lading-web up` runs beside."""

import hashlib
import itertools
import time
from collections.abc import Sequence

from sqlalchemy import select

from contracts.calls import Call
from webapp.errors import Refused, WebError
from webapp.models import Transaction, User
from webapp.outbox import OPEN, Planned, State
from webapp.services import Services
from webapp.settling import Settler

WAIT_S = 120.0


class PatientSender:
    """One account's; an errand that was interrupted is not sent a second time."""

    def __init__(self, parts: Services, user: User, key: bytes) -> None:
        """Sign with this account's key."""
        self._parts = parts
        self._user = user
        self._key = key

    def send(self, calls: Sequence[Call], purpose: str, subject: str, once: str) -> None:
        """Send calls, all at once, and wait; what was sent before under the same words is only waited for.

        Raises:
            Refused: the chain did not carry one out; sending it again is a new try.
            WebError: one is not settled in time.
        """
        for sent in self.submit(calls, purpose, subject, once):
            settled = self._wait(sent.id)
            if settled.state != State.DONE:
                raise Refused(f"{settled.purpose}: {settled.error or settled.state}")

    def submit(self, calls: Sequence[Call], purpose: str, subject: str, once: str) -> list[Transaction]:
        """Send calls, all tried beforehand; the purpose is the first one's, further ones fund what it made.

        Raises:
            Refused: the chain would refuse one, or the account cannot pay for all; nothing was sent.
        """
        form = self.next_form(purpose, subject, once)
        if sent := self._parts.outbox.find(self._user.id, form):
            return sent
        self._parts.chain.check(self._user.address, *calls)
        purposes = itertools.chain([purpose], itertools.repeat("fund"))
        plans = [Planned(call, why, subject, {"title": subject}) for call, why in zip(calls, purposes, strict=False)]
        return self._parts.outbox.submit(self._user.id, self._key, form, plans)

    def settle(self, subject: str) -> None:
        """Wait for whatever is still open of this subject, whatever became of who sent it."""
        mine = (Transaction.subject == subject, Transaction.sender == self._user.address)
        with self._parts.database.read() as session:
            open_ones = session.scalars(select(Transaction.id).where(*mine, Transaction.state.in_(OPEN))).all()
        for one in open_ones:
            self._wait(one)

    def next_form(self, purpose: str, subject: str, once: str) -> str:
        """Return the form under which these words are sent: a new one where the last try came to nothing."""
        for attempt in itertools.count():
            form = hashlib.sha256(f"{purpose}:{subject}:{once}:{attempt}".encode()).hexdigest()
            sent = self._parts.outbox.find(self._user.id, form)
            if not sent or sent[0].state in (*OPEN, State.DONE):
                return form
        raise AssertionError("counting never ends")

    def _wait(self, transaction_id: int) -> Transaction:
        settler = Settler(self._parts.database, self._parts.chain, self._parts.settings.confirmations)
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            settler.round()
            with self._parts.database.read() as session:
                row = session.scalars(select(Transaction).where(Transaction.id == transaction_id)).one()
            if row.state not in OPEN:
                return row
            time.sleep(self._parts.settings.poll_s)
        raise WebError("The chain did not take the transaction in time. It is kept and goes on; repeat the command.")
