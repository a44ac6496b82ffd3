"""What is refused before it reaches a document, in AWS's words."""

import json

import pytest

from iot_cloud.shadow.errors import EncodingError, InvalidRequestError, ShadowError
from iot_cloud.shadow.request import TOO_DEEP, parse_token, parse_update, token_of


def nested(levels: int) -> str:
    """Desired with this many objects in one another, itself counted."""
    return '{"state": {"desired": ' + '{"a": ' * (levels - 1) + "{}" + "}" * (levels - 1) + "}}"


REFUSED = [
    ("empty", b"", "Invalid JSON"),
    ("no JSON", b"{", "Invalid JSON"),
    ("not an object", b"[]", "Invalid JSON"),
    ("a number", b"1", "Invalid JSON"),
    ("null", b"null", "Invalid JSON"),
    ("NaN", b'{"state": {"desired": {"a": NaN}}}', "Invalid JSON"),
    ("Infinity", b'{"state": {"desired": {"a": -Infinity}}}', "Invalid JSON"),
    ("a number out of range", b'{"state": {"desired": {"a": 1e999}}}', "Invalid JSON"),
    ("5,000 digits", b'{"state": {"desired": {"a": ' + b"9" * 5000 + b"}}}", "Invalid JSON"),
    ("a key twice", b'{"state": {"desired": {"a": 1, "a": 2}}}', "Invalid JSON"),
    ("state twice", b'{"state": {}, "state": {}}', "Invalid JSON"),
    ("a lone surrogate", b'{"state": {"desired": {"a": "\\ud800"}}}', "Invalid JSON"),
    ("null in an array", b'{"state": {"desired": {"a": [1, null]}}}', "Invalid JSON"),
    ("null deep in an array", b'{"state": {"desired": {"a": [{"b": null}]}}}', "Invalid JSON"),
    ("no state", b"{}", "Missing required node: state"),
    ("state is a text", b'{"state": "x"}', "State node must be an object"),
    ("state is an array", b'{"state": []}', "State node must be an object"),
    ("desired is a number", b'{"state": {"desired": 1}}', "Desired node must be an object"),
    ("desired is an array", b'{"state": {"desired": []}}', "Desired node must be an object"),
    ("reported is a text", b'{"state": {"reported": "x"}}', "Reported node must be an object"),
    ("another node", b'{"state": {"delta": {}}}', "State contains an invalid node: 'delta'"),
    ("version is a text", b'{"state": {}, "version": "1"}', "Invalid version"),
    ("version is a fraction", b'{"state": {}, "version": 1.5}', "Invalid version"),
    ("version is true", b'{"state": {}, "version": true}', "Invalid version"),
    ("version is negative", b'{"state": {}, "version": -1}', "Invalid version"),
    ("token is a number", b'{"state": {}, "clientToken": 1}', "Invalid clientToken"),
    ("token of 65 bytes", json.dumps({"state": {}, "clientToken": "x" * 65}).encode(), "Invalid clientToken"),
    (
        "token of 66 bytes in 33 letters",
        json.dumps({"state": {}, "clientToken": "ü" * 33}).encode(),
        "Invalid clientToken",
    ),
    ("seven levels", nested(7).encode(), TOO_DEEP),
    ("seven levels of arrays", b'{"state": {"desired": {"a": [[[[[[1]]]]]]}}}', TOO_DEEP),
    ("100,000 levels", b"[" * 100_000, TOO_DEEP),
]


@pytest.mark.parametrize(("payload", "text"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refused_with_400(payload: bytes, text: str) -> None:
    """A document that breaks a rule is refused with AWS's text."""
    with pytest.raises(InvalidRequestError) as refused:
        parse_update(payload)
    assert (refused.value.code, str(refused.value)) == (400, text)


@pytest.mark.parametrize("payload", [b"\xff\xfe{}", '{"state": {}}'.encode("utf-16"), b'{"a": "\xc3\x28"}'])
def test_only_utf8_is_taken(payload: bytes) -> None:
    """Anything but UTF-8 is refused with 415."""
    with pytest.raises(EncodingError) as refused:
        parse_update(payload)
    assert (refused.value.code, str(refused.value)) == (
        415,
        "Unsupported documented encoding; supported encoding is UTF-8",
    )


@pytest.mark.parametrize(
    "payload",
    [
        b'{"state": null}',
        b'{"state": {}}',
        b'{"state": {"desired": null, "reported": {}}}',
        b'{"state": {"desired": {"a": {"b": null}}}, "version": 0, "foreign": 1}',
        json.dumps({"state": {}, "clientToken": "ü" * 32}).encode(),
        nested(6).encode(),
        b'{"state": {"desired": {"a": 1e10, "b": "\\ud83d\\ude00"}}}',
    ],
)
def test_taken(payload: bytes) -> None:
    """What keeps to the rules is taken, foreign nodes beside `state` are passed over."""
    assert parse_update(payload).state == json.loads(payload)["state"]


def test_get_and_delete_take_an_empty_payload_or_a_token() -> None:
    """Nothing, spaces, or an object with a token."""
    assert parse_token(b"") is None
    assert parse_token(b" \n") is None
    assert parse_token(b'{"clientToken": "x"}') == "x"
    with pytest.raises(ShadowError):
        parse_token(b"x")


def test_a_refusal_carries_the_token_if_there_is_one() -> None:
    """The token is returned even where the document is refused, unless it cannot be read."""
    assert token_of(b'{"clientToken": "x", "state": 1}') == "x"
    assert token_of(b'{"clientToken": 1}') is None
    assert token_of(b"{") is None
