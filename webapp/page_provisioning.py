"""Provisioning from a page: what is missing is signed at once and nothing is waited for; the journal shows the rest."""

from typing import Any

from sqlalchemy import select

from contracts.calls import Call
from webapp.errors import Refused
from webapp.models import ThingRow, Transaction, User
from webapp.outbox import OPEN
from webapp.provisioning import Enrolment, Provisioning
from webapp.services import Services


class StillOpen(Refused):
    """The chain has not carried everything out yet; it goes on by itself."""

    code = "still-open"


class PageProvisioning(Provisioning):
    """Does what can be done now. Without a key it signs nothing and only takes note of what has come true."""

    def __init__(self, parts: Services, user: User, key: bytes = b"") -> None:
        """Act for this operator."""
        super().__init__(parts, user, key, say=lambda _text: None)
        self._key = key

    def advance(self, enrolment: Enrolment) -> bool:
        """Go on; whether everything is done."""
        try:
            self.rotate(enrolment) if enrolment.id else self.provision(enrolment)
        except StillOpen:
            return False
        return True

    def bundle(self, row: ThingRow) -> dict[str, Any]:
        """Return what the device needs; all steps are done."""
        return self._bundle(enrolment_of(row), dict(row.steps))

    def _register(self, enrolment: Enrolment) -> dict[str, Any]:
        if known := self._registered(enrolment):
            return {"device_id": known}
        self._sign(*self._registration(enrolment))
        raise StillOpen("The registration is on its way.")

    def _first_balance(self, enrolment: Enrolment) -> dict[str, Any]:
        if missing := self._funding(enrolment):
            self._sign(missing, "fund", enrolment.thing, enrolment.consent[:20])
            raise StillOpen("The first balance is on its way.")
        return {"had_wei": str(self._parts.chain.balance(enrolment.device))}

    def _decommission(self, row: ThingRow) -> None:
        registry = self._parts.chain.registry
        if self._open(row.thing):
            raise Refused("Cloud and gateway refuse it now. A transaction of it is under way: repeat this in a minute.")
        for device_id in {row.device_id or 0, registry.id_of(row.steps["device"])} - {0}:
            if registry.device(device_id).active:
                self._sender.submit([registry.decommission(device_id)], "decommission", row.thing, f"end-{device_id}")

    def _sign(self, calls: list[Call], purpose: str, thing: str, once: str) -> None:
        if self._key and not self._open(thing):
            self._sender.submit(calls, purpose, thing, once)

    def _open(self, thing: str) -> bool:
        return any(row.state in OPEN for row in transactions_of(self._parts, thing))


def enrolment_of(row: ThingRow) -> Enrolment:
    """Return what the device said of itself when it was taken in.

    Raises:
        Refused: it was taken in before that was kept.
    """
    kept = row.steps.get("enrolment")
    if kept is None:
        raise Refused("The enrolment file is not kept here: upload it once more.")
    return Enrolment.model_validate(kept)


def transactions_of(parts: Services, thing: str) -> list[Transaction]:
    """Return the transactions about a device, newest first."""
    purposes = ("provision", "rotate", "fund", "decommission")
    mine = (Transaction.subject == thing, Transaction.purpose.in_(purposes))
    with parts.database.read() as session:
        return list(session.scalars(select(Transaction).where(*mine).order_by(Transaction.id.desc()).limit(20)))


STEPS = (
    ("device", "The device made its keys and consented"),
    ("cloud", "The IoT cloud gave it a certificate"),
    ("gateway", "The gateway lets it in"),
    ("chain", "The registry knows it"),
    ("balance", "It can pay for its transactions"),
)


def journal_of(row: ThingRow) -> list[tuple[str, str, bool]]:
    """Return each step: its name, its words, and whether it is done."""
    return [(name, words, name in row.steps) for name, words in STEPS]
