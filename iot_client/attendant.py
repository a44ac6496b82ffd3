"""Receives whoever shows a barcode: reads, asks, and either begins a release or says why not.

Runs on the loop's thread; only the questions to the chain are asked on the worker's.
"""

import hashlib
import logging
import time
from dataclasses import dataclass, field

from contracts.errors import LadingError, NotAVoucher, OtherChain, VoucherError, VoucherTooLong
from contracts.judge import signed_for
from contracts.voucher import Voucher, decode_voucher
from iot_client.chain.examiner import Examiner, Ready, Refused, Resumable
from iot_client.equipment import Equipment
from iot_client.gate import GateState
from iot_client.in_hand import Hand
from iot_client.journal import Key, Record
from iot_client.loop import Failed
from iot_client.machine import Event, State, advance
from iot_client.reasons import Refusal, line_for
from iot_client.releases import Releases
from iot_client.scanner import Scan, Unread

log = logging.getLogger("iot_client")

UNREAD = {
    Unread.NO_CODE: Refusal.NO_CODE,
    Unread.TWO_CODES: Refusal.TWO_CODES,
    Unread.NOT_A_PICTURE: Refusal.NOT_A_PICTURE,
    Unread.TOO_LARGE: Refusal.TOO_LARGE,
}


@dataclass
class Visit:
    """One scan on its way through the checks."""

    scan: Scan
    started: float
    state: State = State.SCANNED
    voucher: Voucher | None = None
    text_hash: str = ""
    hand: Hand = field(default_factory=Hand)

    @property
    def sale(self) -> str:
        """The sale that the voucher names."""
        return self.voucher.sale if self.voucher else ""


class Attendant:
    """One person at a time."""

    def __init__(self, equipment: Equipment, examiner: Examiner, releases: Releases) -> None:
        self._settings = equipment.settings
        self._journal = equipment.journal
        self._gate = equipment.gate
        self._shadow = equipment.shadow
        self._worker = equipment.worker
        self._screen = equipment.screen
        self._now = equipment.now
        self._examiner = examiner
        self._releases = releases
        self._visit: Visit | None = None
        self._poor = False

    @property
    def idle(self) -> bool:
        """Whether nothing is being examined and nothing waits at the door or for the chain."""
        waiting = [one for one in self._releases.in_hand if one.state not in {State.CASE, State.LATE}]
        return self._visit is None and not waiting

    def scanned(self, scan: Scan) -> None:
        """A scanner has something."""
        visit = Visit(scan, self._now(), hand=Hand(began_ns=scan.started_ns or time.monotonic_ns()))
        visit.hand.marks["read"] = round(scan.read_ms, 3)
        if self._visit is not None:
            self._refuse(visit, Refusal.GATE_BUSY)
            return
        text = scan.reading.text
        if text is None:
            self._refuse(visit, UNREAD.get(scan.reading.unread or Unread.NO_CODE, Refusal.NO_CODE))
            return
        self._decode(visit, text)

    def _decode(self, visit: Visit, text: str) -> None:
        try:
            visit.voucher = decode_voucher(text, self._settings.chain_id)
        except OtherChain as error:
            self._refuse(visit, Refusal.OTHER_CHAIN, f"chain {error.found}, this is {error.expected}")
        except (NotAVoucher, VoucherTooLong):
            self._refuse(visit, Refusal.NOT_LADING)
        except VoucherError as error:
            self._refuse(visit, Refusal.DAMAGED, error.reason)
        else:
            visit.text_hash = hashlib.sha256(text.encode()).hexdigest()
            self._ask(visit, visit.voucher)

    def _ask(self, visit: Visit, voucher: Voucher) -> None:
        self._step(visit, Event.READ)
        self._screen.step("Receipt read. Asking the chain …", voucher.sale)
        self._visit = visit
        self._worker.do(lambda: self._examiner.examine(voucher), lambda found: self._examined(visit, voucher, found))

    def _examined(self, visit: Visit, voucher: Voucher, found: Ready | Resumable | Refused | Failed) -> None:
        self._visit = None
        if isinstance(found, Ready):
            self._owned(visit, voucher, found)
        elif isinstance(found, Resumable):
            self._resume(visit, voucher, found.key)
        elif isinstance(found, Refused):
            self._refuse(visit, found.refusal, self._more(found, voucher))
        else:
            log.error("examining a voucher failed", exc_info=found.error)
            known = isinstance(found.error, LadingError | OSError)
            self._refuse(visit, Refusal.CHAIN_UNREACHABLE if known else Refusal.INTERNAL)

    def _owned(self, visit: Visit, voucher: Voucher, ready: Ready) -> None:
        visit.hand.marks["verify"] = round(ready.owned_ms, 3)
        visit.hand.marks["ready"] = round(ready.ready_ms, 3)
        self._watch_balance(ready.balance_wei)
        self._step(visit, Event.SALE_PROVEN)
        self._step(visit, Event.OWNERSHIP_PROVEN)
        self._screen.yes("Ownership verified.", voucher.sale)
        refusal = self._unready()
        if refusal is not None:
            self._refuse(visit, refusal)
            return
        before = self._now() + self._settings.open_within_s
        self._step(visit, Event.READY)
        record = Record(
            ready.key, State.SUBMITTED, voucher.buyer, before, visit.started, self._now(),
            dict(visit.hand.marks), voucher=visit.text_hash,
        )  # fmt: skip
        self._remember(visit, "released", "")
        self._releases.in_hand.begin(record, ready.sending, visit.hand)

    def _watch_balance(self, balance_wei: int) -> None:
        """Tell the operator once, while there is still enough to go on."""
        poor = balance_wei < self._settings.low_balance_wei
        if poor and not self._poor:
            message = f"this door has {balance_wei / 1e18:.4f} ETH left: have the operator send some"
            log.warning(message)
            self._journal.add_event({"event": "alarm", "at": self._now(), "kind": "low-balance", "message": message})
        self._poor = poor

    def _unready(self) -> Refusal | None:
        """Whether it could be finished from here; checked last, since it changes fastest."""
        if self._releases.in_hand.at_door is not None:
            return Refusal.GATE_BUSY
        state = self._gate.state
        if state is GateState.JAMMED:
            return Refusal.GATE_JAMMED
        if state is not GateState.LOCKED:
            return Refusal.GATE_UNKNOWN if state is None else Refusal.GATE_BUSY
        if not self._shadow.connected and not self._settings.open_without_cloud:
            return Refusal.CLOUD_UNREACHABLE
        return None

    def _resume(self, visit: Visit, voucher: Voucher, key: Key) -> None:
        """This door is releasing this sale already: whoever shows the same voucher may go on."""
        record = self._releases.record(key)
        if record is None:
            self._refuse(visit, Refusal.OPERATOR, "this door has no record of its own release")
            return
        same = record.voucher == visit.text_hash
        if not same and not (voucher.buyer == record.buyer and signed_for(voucher, key.attempt)):
            self._refuse(visit, Refusal.OTHER_DOOR)
            return
        other = self._releases.in_hand.at_door
        if (other is not None and other.key != key) or self._gate.state is not GateState.LOCKED:
            self._refuse(visit, Refusal.GATE_BUSY)
        elif self._releases.shown_again(key):
            self._remember(visit, "shown-again", "")
            self._screen.step("Shown again: opening …")
        else:
            self._refuse(visit, Refusal.OPERATOR if record.state is State.CASE else Refusal.GATE_BUSY)

    def _more(self, refused: Refused, voucher: Voucher) -> str:
        if refused.refusal is not Refusal.COLLECTED:
            return refused.detail
        own = [record for record in self._journal.releases(voucher.sale) if record.state is State.COMPLETED]
        if own:
            when = time.strftime("%d %B %H:%M", time.localtime(own[-1].updated))
            return f"at this door, {when}"
        return refused.detail

    def _step(self, visit: Visit, event: Event) -> None:
        visit.state = advance(visit.state, event).to
        visit.hand.mark(visit.state)

    def _refuse(self, visit: Visit, refusal: Refusal, detail: str = "") -> None:
        visit.state = advance(visit.state, Event.REFUSE).to
        self._gate.show(False)
        self._screen.no(refusal, detail)
        self._remember(visit, refusal, detail)

    def _remember(self, visit: Visit, outcome: str, detail: str) -> None:
        scan = visit.scan
        visit.hand.mark("answered")
        said = line_for(outcome, detail) if isinstance(outcome, Refusal) else ""
        body: dict[str, object] = {
            "event": "scan", "at": self._now(), "scanner": scan.scanner, "name": scan.name, "remote": scan.remote,
            "sale": visit.sale, "outcome": outcome, "detail": detail, "says": said,
        }  # fmt: skip
        self._journal.add_scan(
            scan.scanner, scan.name, body, remote=scan.remote, sale=visit.sale, outcome=outcome, detail=detail,
            ms=visit.hand.marks["answered"],
        )  # fmt: skip
        log.info("scan", extra={"fields": {**body, "read_by": scan.reading.step, "marks": dict(visit.hand.marks)}})
