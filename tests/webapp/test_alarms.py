"""The rules of alarms, exhaustively: each condition at, below and above its limit, and what is not known."""

import itertools

import pytest

from webapp.alarm_rules import (
    DO,
    LASTING,
    TITLES,
    AlarmKind,
    DeviceFacts,
    Facts,
    Finding,
    Lie,
    Limits,
    NodeFacts,
    findings,
    reconcile,
    undecided,
)

NOW = 1_000_000.0
LIMITS = Limits()
DAY = 86_400


def kinds(facts: Facts) -> list[tuple[str, str]]:
    """What is an alarm, by kind and subject."""
    return [finding.key for finding in findings(facts, LIMITS)]


def device(**more: object) -> Facts:
    """Facts of one device."""
    return Facts(now=NOW, devices=(DeviceFacts("gate-1", 1, **more),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (Facts(now=NOW), []),
        (device(), []),
        (device(online=False, unknown_since=NOW - 59), []),
        (device(online=False, unknown_since=NOW - 60), ["device-silent"]),
        (device(online=None, unknown_since=NOW - 600), ["device-silent"]),
        (device(online=True, unknown_since=None, gate="OPEN"), []),
        (device(gate="JAMMED"), ["gate-jammed"]),
        *[(device(gate=gate), []) for gate in ("LOCKED", "OPEN", "UNLOCKING", "LOCKING", None)],
        (device(balance_wei=LIMITS.low_balance_wei), []),
        (device(balance_wei=LIMITS.low_balance_wei - 1), ["balance-low"]),
        (device(balance_wei=0), ["balance-low"]),
        (device(certificate_until=NOW + 30 * DAY + 1), []),
        (device(certificate_until=NOW + 30 * DAY), ["certificate-ends"]),
        (device(certificate_until=NOW - 1), ["certificate-ends"]),
        (device(term_until=NOW + 30 * DAY + 1), []),
        (device(term_until=NOW), ["term-ends"]),
        (Facts(now=NOW, head_at=NOW - 30), []),
        (Facts(now=NOW, head_at=NOW - 31), ["chain-stopped"]),
        (Facts(now=NOW, head_at=NOW + 60), []),
        (Facts(now=NOW, cloud_silent_since=NOW - 9), []),
        (Facts(now=NOW, cloud_silent_since=NOW - 10), ["cloud-silent"]),
        (Facts(now=NOW, lies=(Lie("gate-1", 1, "a fork"), Lie("gate-2", 1, "a fork"))), ["node-lied", "node-lied"]),
        (Facts(now=NOW, nodes=(NodeFacts("a", 10), NodeFacts("b", 5))), []),
        (Facts(now=NOW, nodes=(NodeFacts("a", 11), NodeFacts("b", 5))), ["node-lagging"]),
        (Facts(now=NOW, nodes=(NodeFacts("a", None), NodeFacts("b", 5))), ["node-silent"]),
        (Facts(now=NOW, nodes=(NodeFacts("a", None),)), ["node-silent"]),
    ],
)
def test_each_condition_at_its_limit(facts, found):
    """On this side nothing, on that side one alarm of the right kind."""
    assert [kind for kind, _ in kinds(facts)] == found


def test_a_silent_cloud_makes_no_device_silent():
    """One alarm, not one for each device; and none of theirs begins or ends by it."""
    facts = Facts(
        now=NOW,
        devices=tuple(DeviceFacts(f"gate-{n}", 1, unknown_since=NOW - 600) for n in range(5)),
        cloud_silent_since=NOW - 600,
    )
    assert kinds(facts) == [("cloud-silent", "cloud")]
    standing = {("device-silent", "gate-1"), ("gate-jammed", "gate-2")}
    assert reconcile(standing, findings(facts, LIMITS), undecided(facts)).end == []


def test_what_is_not_known_ends_nothing():
    """No answer about a balance, no node: the alarms stay; once there is an answer they end."""
    standing = {("balance-low", "gate-1"), ("chain-stopped", "chain")}
    blind = device(balance_wei=None)
    assert reconcile(standing, findings(blind, LIMITS), undecided(blind)).end == []
    seen = Facts(now=NOW, devices=(DeviceFacts("gate-1", 1, balance_wei=10**18),), head_at=NOW)
    assert reconcile(standing, findings(seen, LIMITS), undecided(seen)).end == sorted(standing)


def test_a_device_that_is_gone_ends_its_alarms():
    """Decommissioned: it is not looked at any more."""
    facts = Facts(now=NOW)
    changes = reconcile({("gate-jammed", "gate-1")}, findings(facts, LIMITS), undecided(facts))
    assert changes.end == [("gate-jammed", "gate-1")]


KEYS = [("gate-jammed", "a"), ("gate-jammed", "b"), ("balance-low", "a")]
SUBSETS = [set(some) for size in range(4) for some in itertools.combinations(KEYS, size)]


@pytest.mark.parametrize("standing", SUBSETS)
def test_reconciling_by_every_combination(standing):
    """Whatever stands, is found and is unknown: afterwards stands what is found, and what stood and is unknown."""
    for found_keys, unknown in itertools.product(SUBSETS, SUBSETS):
        found = [Finding(AlarmKind(kind), subject, "words") for kind, subject in sorted(found_keys)] * 2
        changes = reconcile(standing, found, unknown)
        after = (standing - set(changes.end)) | {finding.key for finding in changes.begin}
        assert after == found_keys | (standing & unknown)
        assert {finding.key for finding in changes.begin} == found_keys - standing
        assert {finding.key for finding in changes.say} == found_keys & standing


def test_every_kind_has_a_title_and_says_what_to_do():
    """No alarm leaves a person alone."""
    assert set(TITLES) == set(DO) == set(AlarmKind)
    assert set(AlarmKind) >= LASTING
