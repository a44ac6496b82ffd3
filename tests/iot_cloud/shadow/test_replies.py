"""The documents that the service sends."""

from iot_cloud.shadow import replies
from iot_cloud.shadow.document import Document, delete, update
from iot_cloud.shadow.errors import ShadowNotFoundError, VersionConflictError
from iot_cloud.shadow.request import Update

NOW = 1_000


def test_accepted_echoes_only_what_was_requested() -> None:
    """State and metadata of the request, version, time, token."""
    first = update(Document(), Update({"desired": {"a": 1, "b": 2}}), NOW)
    request = Update({"desired": {"a": 3}}, client_token="t")
    second = update(first, request, NOW + 1)
    assert replies.update_accepted(second, request) == {
        "state": {"desired": {"a": 3}},
        "metadata": {"desired": {"a": {"timestamp": NOW + 1}}},
        "version": 2,
        "timestamp": NOW + 1,
        "clientToken": "t",
    }


def test_state_null_is_echoed_with_a_bare_timestamp_and_read_as_empty() -> None:
    """`state: null` comes back as it is; `get` then shows an empty state."""
    request = Update(None)
    document = update(update(Document(), Update({"desired": {"a": 1}}), NOW), request, NOW)
    accepted = replies.update_accepted(document, request)
    assert (accepted["state"], accepted["metadata"]) == (None, {"timestamp": NOW})
    got = replies.get_accepted(document, None, NOW)
    assert got == {"state": {}, "metadata": {}, "version": 2, "timestamp": NOW}


def test_delta_lists_every_difference_after_a_reported_only_update() -> None:
    """A report of one field shows the other one still outstanding, with the metadata of desired."""
    first = update(Document(), Update({"desired": {"a": 1, "b": 2}}), NOW)
    second = update(first, Update({"reported": {"a": 1}}), NOW + 5)
    assert replies.update_delta(second, "t") == {
        "version": 2,
        "timestamp": NOW + 5,
        "state": {"b": 2},
        "metadata": {"b": {"timestamp": NOW}},
        "clientToken": "t",
    }
    assert replies.update_delta(update(second, Update({"reported": {"b": 2}}), NOW), "t") is None


def test_documents_carry_previous_and_current() -> None:
    """Both states with their metadata and versions; no delta among them."""
    first = update(Document(), Update({"desired": {"a": 1}}), NOW)
    second = update(first, Update({"reported": {"a": 2}}), NOW + 1)
    body = replies.update_documents(first, second, "t")
    assert body["previous"] == {
        "state": {"desired": {"a": 1}},
        "metadata": {"desired": {"a": {"timestamp": NOW}}},
        "version": 1,
    }
    assert body["current"]["state"] == {"desired": {"a": 1}, "reported": {"a": 2}}
    assert (body["current"]["version"], body["timestamp"], body["clientToken"]) == (2, NOW + 1, "t")


def test_get_shows_what_is_outstanding() -> None:
    """`delta` stands in the state, without metadata of its own."""
    document = update(Document(), Update({"desired": {"a": 1}}), NOW)
    assert replies.get_accepted(document, "t", NOW + 9) == {
        "state": {"desired": {"a": 1}, "delta": {"a": 1}},
        "metadata": {"desired": {"a": {"timestamp": NOW}}},
        "version": 1,
        "timestamp": NOW + 9,
        "clientToken": "t",
    }


def test_delete_answers_version_and_time() -> None:
    """Nothing else."""
    gone = delete(update(Document(), Update({"desired": {"a": 1}}), NOW), NOW + 1)
    assert replies.delete_accepted(gone, None) == {"version": 1, "timestamp": NOW + 1}


def test_rejected_carries_code_message_and_token() -> None:
    """A 404 has no time; a named shadow is called thing~name."""
    assert replies.rejected(VersionConflictError(), "t", NOW) == {
        "code": 409,
        "message": "Version conflict",
        "timestamp": NOW,
        "clientToken": "t",
    }
    assert replies.rejected(ShadowNotFoundError("gate-1", "operator"), None, NOW) == {
        "code": 404,
        "message": "No shadow exists with name: 'gate-1~operator'",
    }
