"""How an update changes a document: every rule of merging, metadata and versions."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iot_cloud.shadow.document import Document, compact, delete, delta, forget, update
from iot_cloud.shadow.errors import TooLargeError, VersionConflictError
from iot_cloud.shadow.request import Update
from iot_cloud.shadow.tree import stamp

T1, T2 = 1_000, 2_000


def after(*states: Any) -> Document:
    """The document after these updates, one second apart."""
    document = Document()
    for number, state in enumerate(states):
        document = update(document, Update(state), T1 + number)
    return document


MERGES = [
    ("first update", [{"desired": {"a": 1}}], {"desired": {"a": 1}}),
    ("deep merge", [{"desired": {"a": {"b": 1}}}, {"desired": {"a": {"c": 2}}}], {"desired": {"a": {"b": 1, "c": 2}}}),
    ("sections apart", [{"desired": {"a": 1}}, {"reported": {"a": 2}}], {"desired": {"a": 1}, "reported": {"a": 2}}),
    ("null deletes", [{"desired": {"a": 1, "b": 2}}, {"desired": {"a": None}}], {"desired": {"b": 2}}),
    (
        "null deletes deep",
        [{"desired": {"a": {"b": 1, "c": 2}}}, {"desired": {"a": {"b": None}}}],
        {"desired": {"a": {"c": 2}}},
    ),
    ("null of nothing", [{"desired": {"a": 1}}, {"desired": {"b": None}}], {"desired": {"a": 1}}),
    ("null in a new object", [{"desired": {"a": {"b": None, "c": 1}}}], {"desired": {"a": {"c": 1}}}),
    ("emptied section vanishes", [{"desired": {"a": 1}}, {"desired": {"a": None}}], {}),
    ("empty section never appears", [{"desired": {}}], {}),
    ("desired null clears", [{"desired": {"a": 1}, "reported": {"a": 1}}, {"desired": None}], {"reported": {"a": 1}}),
    ("reported null clears", [{"desired": {"a": 1}, "reported": {"a": 1}}, {"reported": None}], {"desired": {"a": 1}}),
    ("state null clears all", [{"desired": {"a": 1}, "reported": {"a": 1}}, None], {}),
    ("array replaced whole", [{"desired": {"a": [1, 2, 3]}}, {"desired": {"a": [4]}}], {"desired": {"a": [4]}}),
    ("array emptied", [{"desired": {"a": [1]}}, {"desired": {"a": []}}], {"desired": {"a": []}}),
    ("empty object kept", [{"desired": {"a": {}}}], {"desired": {"a": {}}}),
    (
        "emptied inner object kept",
        [{"desired": {"a": {"b": 1}}}, {"desired": {"a": {"b": None}}}],
        {"desired": {"a": {}}},
    ),
    (
        "empty object merges nothing",
        [{"desired": {"a": {"b": 1}}}, {"desired": {"a": {}}}],
        {"desired": {"a": {"b": 1}}},
    ),
    ("object replaces leaf", [{"desired": {"a": 1}}, {"desired": {"a": {"b": 2}}}], {"desired": {"a": {"b": 2}}}),
    ("leaf replaces object", [{"desired": {"a": {"b": 2}}}, {"desired": {"a": 1}}], {"desired": {"a": 1}}),
    ("object replaces array", [{"desired": {"a": [1]}}, {"desired": {"a": {"b": 2}}}], {"desired": {"a": {"b": 2}}}),
    (
        "objects in arrays do not merge",
        [{"desired": {"a": [{"b": 1}]}}, {"desired": {"a": [{"c": 2}]}}],
        {"desired": {"a": [{"c": 2}]}},
    ),
    (
        "false, zero and empty text are values",
        [{"desired": {"a": False, "b": 0, "c": ""}}],
        {"desired": {"a": False, "b": 0, "c": ""}},
    ),
]


@pytest.mark.parametrize(("states", "expected"), [case[1:] for case in MERGES], ids=[case[0] for case in MERGES])
def test_merge(states: list[Any], expected: Any) -> None:
    """The state after a row of updates."""
    assert after(*states).state == expected


def test_every_leaf_has_the_time_of_its_last_change() -> None:
    """Untouched leaves keep their times; array elements each have one; an equal value counts as a change."""
    document = after({"desired": {"a": 1, "b": {"c": [1, {"d": 2}]}, "e": 1}}, {"desired": {"a": 1}})
    assert document.metadata == {
        "desired": {
            "a": {"timestamp": T1 + 1},
            "b": {"c": [{"timestamp": T1}, {"d": {"timestamp": T1}}]},
            "e": {"timestamp": T1},
        }
    }


def test_versions_start_at_one_and_count_accepted_updates() -> None:
    """Version 1 at first, one more with every accepted update, even one that changes nothing."""
    assert [after(*[{"desired": {"a": 1}}] * count).version for count in (1, 2, 3)] == [1, 2, 3]


@pytest.mark.parametrize("stated", [0, 1, 3])
def test_another_version_conflicts(stated: int) -> None:
    """A stated version that is not the current one is refused."""
    with pytest.raises(VersionConflictError):
        update(after({"desired": {"a": 1}}, {"desired": {"a": 2}}), Update({"desired": {}}, version=stated), T2)


def test_the_current_version_is_accepted() -> None:
    """A stated version that is the current one lets the update pass; version 0 means: nothing yet."""
    assert update(after({"desired": {"a": 1}}), Update({"desired": {}}, version=1), T2).version == 2
    assert update(Document(), Update({"desired": {}}, version=0), T2).version == 1


def test_deletion_keeps_the_version_for_two_days() -> None:
    """A writer with an old version is refused after a deletion too, until it is forgotten."""
    gone = delete(after({"desired": {"a": 1}}, {"desired": {"a": 2}}), T2)
    assert (gone.version, gone.timestamp, gone.state, gone.exists) == (2, T2, {}, False)
    assert update(gone, Update({"desired": {"a": 3}}), T2).version == 3
    assert forget(gone, T2 + 48 * 3600 - 1).version == 2
    assert forget(gone, T2 + 48 * 3600) == Document()
    assert forget(after({"desired": {}}), T2 + 10**9).version == 1


def test_limit_counts_desired_and_reported_without_metadata() -> None:
    """8 KB of both sections together are the most; one byte more is refused."""
    frame = len(compact({"a": ""}))
    half = {"a": "x" * (4096 - frame)}
    full = after({"desired": half, "reported": half})
    assert sum(len(compact(section)) for section in full.state.values()) == 8192
    with pytest.raises(TooLargeError):
        update(full, Update({"desired": {"a": half["a"] + "x"}}), T2)
    with pytest.raises(TooLargeError):
        update(Document(), Update({"desired": {"a": "ü" * 4096}}), T2)


DELTAS = [
    ("absent in reported", {"a": 1}, {}, {"a": 1}),
    ("different", {"a": 1}, {"a": 2}, {"a": 1}),
    ("equal", {"a": 1}, {"a": 1}, {}),
    ("only reported", {}, {"a": 1}, {}),
    ("one of two", {"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b": 2}),
    ("nested path only", {"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3, "d": 4}}, {"a": {"c": 2}}),
    ("nested equal", {"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, {}),
    ("object against leaf", {"a": {"b": 1}}, {"a": 1}, {"a": {"b": 1}}),
    ("leaf against object", {"a": 1}, {"a": {"b": 1}}, {"a": 1}),
    ("empty object absent", {"a": {}}, {"b": 1}, {"a": {}}),
    ("empty object against object", {"a": {}}, {"a": {"b": 1}}, {}),
    ("arrays whole", {"a": [1, 2]}, {"a": [1]}, {"a": [1, 2]}),
    ("arrays shortened", {"a": [1]}, {"a": [1, 2]}, {"a": [1]}),
    ("array emptied", {"a": []}, {"a": [1]}, {"a": []}),
    ("arrays equal", {"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, {}),
    ("objects in arrays compare whole", {"a": [{"b": 2}]}, {"a": [{"b": 2, "c": 3}]}, {"a": [{"b": 2}]}),
    ("order of arrays counts", {"a": [1, 2]}, {"a": [2, 1]}, {"a": [1, 2]}),
    ("true is not 1", {"a": True}, {"a": 1}, {"a": True}),
    ("0 is not false", {"a": 0}, {"a": False}, {"a": 0}),
    ("true is not 1 in arrays", {"a": [True]}, {"a": [1]}, {"a": [True]}),
    ("1 equals 1.0", {"a": 1}, {"a": 1.0}, {}),
    ("text is not number", {"a": "1"}, {"a": 1}, {"a": "1"}),
    ("false equals false", {"a": False}, {"a": False}, {}),
]


@pytest.mark.parametrize(
    ("desired", "reported", "expected"), [case[1:] for case in DELTAS], ids=[case[0] for case in DELTAS]
)
def test_delta(desired: Any, reported: Any, expected: Any) -> None:
    """What is outstanding, and its metadata: exactly that of desired."""
    document = update(Document(), Update({"desired": desired, "reported": reported}), T1)
    outstanding, times = delta(document)
    assert outstanding == expected
    assert times == stamp(expected, T1)


unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
JSON = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.text(max_size=2),
    lambda child: st.lists(child, max_size=2) | st.dictionaries(st.sampled_from("abc"), child, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


@unhurried
@given(OBJECTS, OBJECTS)
def test_reporting_the_delta_leaves_none(desired: Any, reported: Any) -> None:
    """Whoever reports exactly what the delta asks for is done."""
    document = update(Document(), Update({"desired": desired, "reported": reported}), T1)
    outstanding, _ = delta(document)
    done = update(document, Update({"reported": outstanding}), T2)
    remaining, _ = delta(done)
    assert _without_empty(remaining) == {}


@unhurried
@given(st.lists(OBJECTS, max_size=4))
def test_metadata_mirrors_the_state(states: list[Any]) -> None:
    """After any row of updates every leaf has a time, and nothing else has."""

    def mirrors(value: Any, times: Any) -> bool:
        if isinstance(value, dict):
            return value.keys() == times.keys() and all(mirrors(value[key], times[key]) for key in value)
        if isinstance(value, list):
            return len(value) == len(times) and all(map(mirrors, value, times))
        return list(times) == ["timestamp"]

    document = after(*({"desired": state} for state in states))
    assert document.state.keys() == document.metadata.keys()
    assert all(mirrors(document.state[section], document.metadata[section]) for section in document.state)


def _without_empty(value: Any) -> Any:
    """An object's empty objects cannot be reported where reported holds a leaf-free object already."""
    if not isinstance(value, dict):
        return value
    inner = {key: _without_empty(child) for key, child in value.items()}
    return {key: child for key, child in inner.items() if child != {}}
