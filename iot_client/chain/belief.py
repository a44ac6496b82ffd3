"""Whom this door believes: the sealers, by proof, or the node that answers."""

import logging
import time
from collections.abc import Callable

from web3 import Web3

from contracts.alarms import Alarm, AlarmKind
from contracts.clock import Freshness
from contracts.deployment import load_deployments
from contracts.memory import Memory, write_memory
from contracts.node_verifier import NodeVerifier
from contracts.proof_errors import AnswerError
from contracts.proof_verifier import ProofVerifier
from contracts.prover import configured
from contracts.rpc import rpc_of
from contracts.seals import SealRules
from contracts.verdict import Verifier
from iot_client.journal import Journal
from iot_client.settings import PiSettings

log = logging.getLogger("iot_client.chain")

MEMORY = "memory"
SINCE = "sealers-since"
WRITE_EVERY_S = 5.0
TELL_EVERY_S = 60.0

Report = Callable[[Alarm], object]


def report_to_log(alarm: Alarm) -> None:
    """A difference between what was answered and what was proven, or a fork: the operator should know."""
    log.warning("%s", alarm.message, extra={"fields": {"alarm": alarm.kind}})


class Publishing:
    """Alarms to the log and, each kind once in a while, to the operator: a liar must not fill the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._told: dict[AlarmKind, float] = {}

    def __call__(self, alarm: Alarm) -> None:
        """Report one."""
        if time.monotonic() - self._told.get(alarm.kind, float("-inf")) < TELL_EVERY_S:
            return
        self._told[alarm.kind] = time.monotonic()
        report_to_log(alarm)
        body = {"kind": alarm.kind, "message": alarm.message, "evidence": dict(alarm.evidence)}
        self._journal.add_event({"event": "alarm", "at": time.time(), **body})


def make_verifier(settings: PiSettings, w3: Web3, journal: Journal | None) -> Verifier:
    """The verifier of the configuration; with a journal it remembers what it has verified, and tells the operator."""
    report: Report = report_to_log if journal is None else Publishing(journal)
    deployments = load_deployments(settings.path("deployments"))
    if settings.verification == "node":
        return NodeVerifier(w3, deployments, settings.site)
    recall = Recall(journal)
    rules = SealRules(settings.period_s, settings.epoch, settings.distinct_sealers)

    def build(memory: str | None) -> ProofVerifier:
        prover = configured(
            rpc_of(w3), deployments, settings.sealers, since=recall.since(settings.sealers), rules=rules,
            freshness=Freshness(int(settings.max_head_age_s), int(settings.max_clock_ahead_s)),
            max_checkpoint_age_s=int(settings.max_checkpoint_age_s),
            memory=memory, remember=recall.remember, report=report,
        )  # fmt: skip
        return ProofVerifier(prover, settings.site)

    try:
        return build(recall.memory(settings.sealers))
    except AnswerError as error:
        log.warning("what was verified before cannot be read, starting from the configuration: %s", error)
        return build(None)


class Recall:
    """What was verified, in the journal.

    A head is written every few seconds at most: a restart may forget those few, and no commit stands between a
    scan and its answer. A change of sealers is written at once.
    """

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._written_at = float("-inf")
        self._number = -1

    def memory(self, sealers: tuple[str, ...]) -> str | None:
        """The last memory, unless the operator has configured other sealers since."""
        if self._journal is None or self._configured() != _mark(sealers):
            return None
        return self._journal.fact(MEMORY)

    def since(self, sealers: tuple[str, ...]) -> int:
        """When these sealers were configured: the first start with them."""
        now = int(time.time())
        if self._journal is None:
            return now
        found = self._journal.fact(SINCE)
        if found and self._configured() == _mark(sealers):
            return int(found.split()[0])
        self._journal.set_fact(SINCE, f"{now} {_mark(sealers)}")
        return now

    def remember(self, memory: Memory) -> None:
        """Keep it, now or soon."""
        changed = memory.checkpoint.number != self._number
        if self._journal is None or not (changed or time.monotonic() - self._written_at > WRITE_EVERY_S):
            return
        self._written_at, self._number = time.monotonic(), memory.checkpoint.number
        self._journal.set_fact(MEMORY, write_memory(memory))

    def _configured(self) -> str | None:
        found = self._journal.fact(SINCE) if self._journal else None
        return found.split()[1] if found else None


def _mark(sealers: tuple[str, ...]) -> str:
    return ",".join(sorted(sealer.lower() for sealer in sealers))
