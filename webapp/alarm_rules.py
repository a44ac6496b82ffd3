"""When something is an alarm. Pure: facts in, findings out; what is not known raises nothing and ends nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class AlarmKind(StrEnum):
    """What there is to know."""

    DEVICE_SILENT = "device-silent"
    GATE_JAMMED = "gate-jammed"
    BALANCE_LOW = "balance-low"
    CERTIFICATE_ENDS = "certificate-ends"
    TERM_ENDS = "term-ends"
    CHAIN_STOPPED = "chain-stopped"
    NODE_LAGGING = "node-lagging"
    NODE_SILENT = "node-silent"
    NODE_LIED = "node-lied"
    CLOUD_SILENT = "cloud-silent"


TITLES = {
    AlarmKind.DEVICE_SILENT: "Device silent",
    AlarmKind.GATE_JAMMED: "Gate jammed",
    AlarmKind.BALANCE_LOW: "Balance low",
    AlarmKind.CERTIFICATE_ENDS: "Certificate near its end",
    AlarmKind.TERM_ENDS: "Term on chain near its end",
    AlarmKind.CHAIN_STOPPED: "Chain does not seal",
    AlarmKind.NODE_LAGGING: "Node behind",
    AlarmKind.NODE_SILENT: "Node silent",
    AlarmKind.NODE_LIED: "A node lied",
    AlarmKind.CLOUD_SILENT: "Cloud silent",
}
DO = {
    AlarmKind.DEVICE_SILENT: "Look at its power and network; `lading-pi check` on the device says what is wrong.",
    AlarmKind.GATE_JAMMED: "Free the gate. It reports by itself when it is locked again.",
    AlarmKind.BALANCE_LOW: "Send ether to its address: without it, it cannot release.",
    AlarmKind.CERTIFICATE_ENDS: "Rotate the device: enrol it anew and upload the file here.",
    AlarmKind.TERM_ENDS: "Rotate the device: enrol it anew with a later term.",
    AlarmKind.CHAIN_STOPPED: "Look at the sealers: more than half of them must run and see each other.",
    AlarmKind.NODE_LAGGING: "Look at its peers and its disk; take it out of the gateway meanwhile.",
    AlarmKind.NODE_SILENT: "Start it again, or take it out of the settings.",
    AlarmKind.NODE_LIED: "Take the node out of the gateway, keep its data, ask its owner. Doors believe proofs alone.",
    AlarmKind.CLOUD_SILENT: "Start lading-cloud again; gates are unknown and open nothing until it answers.",
}
LASTING = frozenset({AlarmKind.NODE_LIED})
"""What does not end by itself: somebody must take notice."""
DAY_S = 86_400
ETHER = 10**18


@dataclass(frozen=True)
class Limits:
    """From where on it is an alarm."""

    device_silent_s: float = 60.0
    low_balance_wei: int = ETHER // 20
    ends_within_s: float = 30 * DAY_S
    chain_silent_s: float = 30.0
    node_lag_blocks: int = 5
    cloud_silent_s: float = 10.0


@dataclass(frozen=True)
class DeviceFacts:
    """A device that should serve; `None` is not known."""

    thing: str
    site: int
    online: bool | None = None
    unknown_since: float | None = None
    """Since when its gate is unknown."""
    gate: str | None = None
    balance_wei: int | None = None
    certificate_until: float | None = None
    term_until: float | None = None


@dataclass(frozen=True)
class NodeFacts:
    """A node that the application asks; `head` is `None` when it does not answer."""

    name: str
    head: int | None


@dataclass(frozen=True)
class Lie:
    """A device's word that a node told something that the sealers did not sign; nobody took notice yet."""

    thing: str
    site: int
    said: str


@dataclass(frozen=True)
class Facts:
    """Everything that the rules look at."""

    now: float
    devices: tuple[DeviceFacts, ...] = ()
    nodes: tuple[NodeFacts, ...] = ()
    head_at: float | None = None
    """When the newest block that any node has was sealed; `None`: no node answers."""
    cloud_silent_since: float | None = None
    lies: tuple[Lie, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something is so."""

    kind: AlarmKind
    subject: str
    words: str = field(compare=False)
    site: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes two findings the same alarm."""
        return self.kind.value, self.subject


def findings(facts: Facts, limits: Limits) -> list[Finding]:
    """Return what is an alarm now."""
    found = [*_chain(facts, limits), *_nodes(facts, limits), *_cloud(facts, limits), *_lies(facts.lies)]
    for device in facts.devices:
        found += _silence(device, facts, limits)
        found += _condition(device, limits)
        found += _ends(device, facts.now, limits)
    return found


def undecided(facts: Facts) -> set[tuple[str, str]]:
    """Return the alarms about which nothing is known now: they stay as they are."""
    unknown = set()
    for device in facts.devices:
        if device.balance_wei is None:
            unknown.add((AlarmKind.BALANCE_LOW.value, device.thing))
        if facts.cloud_silent_since is not None:
            unknown |= {(kind.value, device.thing) for kind in (AlarmKind.DEVICE_SILENT, AlarmKind.GATE_JAMMED)}
    if facts.head_at is None:
        unknown.add((AlarmKind.CHAIN_STOPPED.value, "chain"))
    return unknown


def _silence(device: DeviceFacts, facts: Facts, limits: Limits) -> Iterator[Finding]:
    """A silent cloud makes no device silent: that is an alarm of its own."""
    if facts.cloud_silent_since is not None or device.unknown_since is None:
        return
    silent_s = facts.now - device.unknown_since
    if silent_s >= limits.device_silent_s:
        what = "is offline" if device.online is False else "has not said how its gate stands"
        yield Finding(AlarmKind.DEVICE_SILENT, device.thing, f"{device.thing} {what}.", device.site)


def _condition(device: DeviceFacts, limits: Limits) -> Iterator[Finding]:
    if device.gate == "JAMMED":
        yield Finding(AlarmKind.GATE_JAMMED, device.thing, f"The gate of {device.thing} is jammed.", device.site)
    if device.balance_wei is not None and device.balance_wei < limits.low_balance_wei:
        words = f"{device.thing} has {device.balance_wei / ETHER:.4f} ETH left."
        yield Finding(AlarmKind.BALANCE_LOW, device.thing, words, device.site)


def _ends(device: DeviceFacts, now: float, limits: Limits) -> Iterator[Finding]:
    ends = (
        (AlarmKind.CERTIFICATE_ENDS, "X.509 certificate", device.certificate_until),
        (AlarmKind.TERM_ENDS, "term on chain", device.term_until),
    )
    for kind, what, until in ends:
        if until is not None and until - now <= limits.ends_within_s:
            days = int((until - now) // DAY_S)
            when = f"ends in {days} days" if until > now else "has ended"
            yield Finding(kind, device.thing, f"The {what} of {device.thing} {when}.", device.site)


def _chain(facts: Facts, limits: Limits) -> Iterator[Finding]:
    if facts.head_at is not None and facts.now - facts.head_at > limits.chain_silent_s:
        words = "No new block is sealed. Reading goes on; nothing is sold, bought or released until it seals again."
        yield Finding(AlarmKind.CHAIN_STOPPED, "chain", words)


def _nodes(facts: Facts, limits: Limits) -> Iterator[Finding]:
    best = max((node.head for node in facts.nodes if node.head is not None), default=None)
    for node in facts.nodes:
        if node.head is None:
            yield Finding(AlarmKind.NODE_SILENT, node.name, f"The node at {node.name} does not answer.")
        elif best is not None and best - node.head > limits.node_lag_blocks:
            words = f"The node at {node.name} is {best - node.head} blocks behind."
            yield Finding(AlarmKind.NODE_LAGGING, node.name, words)


def _cloud(facts: Facts, limits: Limits) -> Iterator[Finding]:
    since = facts.cloud_silent_since
    if since is not None and facts.now - since >= limits.cloud_silent_s:
        yield Finding(AlarmKind.CLOUD_SILENT, "cloud", "The IoT cloud does not answer: every gate is unknown.")


def _lies(lies: Iterable[Lie]) -> Iterator[Finding]:
    for lie in lies:
        yield Finding(AlarmKind.NODE_LIED, lie.thing, f"{lie.thing} reports: {lie.said}", lie.site)


@dataclass(frozen=True)
class Changes:
    """What a round does to the alarms that stand open."""

    begin: list[Finding]
    end: list[tuple[str, str]]
    say: list[Finding]
    """Still so, perhaps in other words."""


def reconcile(standing: set[tuple[str, str]], found: Iterable[Finding], unknown: set[tuple[str, str]]) -> Changes:
    """Return what begins and what ends; an alarm about which nothing is known stays."""
    by_key: dict[tuple[str, str], Finding] = {}
    for finding in found:
        by_key.setdefault(finding.key, finding)
    return Changes(
        begin=[finding for key, finding in by_key.items() if key not in standing],
        end=sorted(standing - by_key.keys() - unknown),
        say=[finding for key, finding in by_key.items() if key in standing],
    )
