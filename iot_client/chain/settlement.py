"""What the chain says of a release under way, turned into the machine's events; runs on the worker's thread."""

import time
from dataclasses import dataclass

from contracts.errors import ContractError
from contracts.sale import Sale
from contracts.verdict import Reason, Verdict
from iot_client.chain.examiner import Examiner
from iot_client.chain.node import Node
from iot_client.chain.sender import Fate, Sender
from iot_client.journal import Key, Sending
from iot_client.machine import Event, State

SETTLED = {Reason.ALREADY_COLLECTED: Event.COMPLETE_PROVEN, Reason.OTHER_ATTEMPT: Event.ABORT_PROVEN}
OVER = frozenset({Reason.ALREADY_COLLECTED, Reason.REFUNDED, Reason.OTHER_ATTEMPT, Reason.OTHER_DEVICE})
UNDONE_AFTER_S = 60.0


@dataclass(frozen=True)
class Progress:
    """An event for the machine, or none yet."""

    event: Event | None = None
    detail: str = ""


class Settlement:
    """Sends what has to be sent and asks until it is proven."""

    def __init__(self, node: Node, sender: Sender, examiner: Examiner, confirmations: int) -> None:
        self._node = node
        self._sender = sender
        self._examiner = examiner
        self._confirmations = confirmations
        self._gone: dict[Key, float] = {}

    def is_releasing(self, key: Key) -> Verdict:
        """Whether the release is proven, deep and on top."""
        return self._examiner.is_releasing(key)

    def send_release(self, key: Key) -> None:
        """Send the release that the journal holds."""
        sending = self._sender.under_way(key, "release")
        if sending is not None:
            self._sender.send(sending)

    def progress(self, key: Key, state: State) -> Progress:
        """What became of it since the last question."""
        if state is State.SUBMITTED:
            return self._release(key)
        if state is State.SENSED:
            return self._complete(key)
        if state is State.ABORTING:
            return self._abort(key)
        return self._settled_by_others(key)

    def _release(self, key: Key) -> Progress:
        sending = self._sender.under_way(key, "release")
        fate = Fate.MINED if sending is None else self._sender.follow(sending, self._confirmations)
        if fate is Fate.PENDING:
            return Progress()
        verdict = self._examiner.is_releasing(key)
        if verdict.accepted:
            return Progress(Event.RELEASE_PROVEN, f"block {verdict.block}")
        if fate in {Fate.REVERTED, Fate.REPLACED} or verdict.reason in OVER:
            return Progress(Event.RELEASE_FAILED, f"{fate}, {verdict.reason}")
        return Progress()

    def _complete(self, key: Key) -> Progress:
        if self._drive(key, "complete") is Fate.PENDING:
            return Progress()
        verdict = self._examiner.standing(key)
        if verdict.reason is Reason.ALREADY_COLLECTED:
            return Progress(Event.COMPLETE_PROVEN, f"block {verdict.block}")
        undone = verdict.reason in OVER or self._is_gone(key, verdict)
        return Progress(Event.RELEASE_UNDONE, verdict.reason) if undone else Progress()

    def _is_gone(self, key: Key, verdict: Verdict) -> bool:
        """Whether a reorganisation took the release back for good; nodes put what they dropped into a block again."""
        if verdict.reason is not Reason.NOT_RELEASED:
            self._gone.pop(key, None)
            return False
        return time.monotonic() - self._gone.setdefault(key, time.monotonic()) >= UNDONE_AFTER_S

    def _abort(self, key: Key) -> Progress:
        if self._drive(key, "abort") is Fate.PENDING:
            return Progress()
        verdict = self._examiner.standing(key)
        event = SETTLED.get(verdict.reason) or (Event.RELEASE_UNDONE if verdict.reason in OVER else None)
        return Progress(event, f"block {verdict.block}")

    def _settled_by_others(self, key: Key) -> Progress:
        return Progress(SETTLED.get(self._examiner.standing(key).reason), "settled on chain")

    def _drive(self, key: Key, kind: str) -> Fate:
        """Send the settling call, or follow the one that is under way."""
        sending = self._sender.under_way(key, kind)
        if sending is not None:
            return self._follow(sending)
        sale = Sale.at(self._node.w3, key.sale)
        call = sale.complete() if kind == "complete" else sale.abort()
        try:
            self._node.simulate(call)
        except ContractError:
            # Settled already, or not this device's any more: the standing tells.
            return Fate.REVERTED
        self._sender.issue(kind, call, key)
        return Fate.PENDING

    def _follow(self, sending: Sending) -> Fate:
        fate = self._sender.follow(sending, self._confirmations)
        if fate in {Fate.REVERTED, Fate.REPLACED}:
            self._sender.drop(sending)
        return fate
