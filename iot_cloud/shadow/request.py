"""What a client asks of a shadow: bytes in, a checked request out, or AWS's refusal. Pure."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from iot_cloud.shadow.errors import EncodingError, InvalidRequestError, ShadowError
from iot_cloud.shadow.tree import Object, depth, finite, has_null_in_array

MAX_DEPTH = 6
MAX_TOKEN_BYTES = 64
SECTIONS = ("desired", "reported")
TOO_DEEP = f"JSON contains too many levels of nesting; maximum is {MAX_DEPTH}"


@dataclass(frozen=True)
class Update:
    """A checked request to update: `state` is None where it was `null`."""

    state: Object | None
    version: int | None = None
    client_token: str | None = None


def parse_update(payload: bytes) -> Update:
    """The request in a payload; ShadowError with AWS's text otherwise."""
    document = parse_object(payload)
    token = client_token(document)
    if "state" not in document:
        raise InvalidRequestError("Missing required node: state")
    return Update(_state(document["state"]), _version(document), token)


def parse_token(payload: bytes) -> str | None:
    """The client token of a get or delete, whose payload may be empty."""
    return client_token(parse_object(payload)) if payload.strip() else None


def token_of(payload: bytes) -> str | None:
    """The client token of a refused request, if one can be made out, for the rejection to carry."""
    try:
        return client_token(parse_object(payload))
    except ShadowError:
        return None


def parse_object(payload: bytes) -> Object:
    """A JSON object in UTF-8, without duplicate keys, numbers that JSON lacks or lone surrogates."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        raise EncodingError from None
    try:
        found = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=finite)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise InvalidRequestError(TOO_DEEP) from None
    except ValueError:
        raise InvalidRequestError("Invalid JSON") from None
    if not isinstance(found, dict):
        raise InvalidRequestError("Invalid JSON")
    return found


def client_token(document: Object) -> str | None:
    """The document's token, or None; InvalidRequestError if it is no string of up to 64 bytes."""
    token = document.get("clientToken")
    if token is not None and (not isinstance(token, str) or len(token.encode()) > MAX_TOKEN_BYTES):
        raise InvalidRequestError("Invalid clientToken")
    return token


def _version(document: Object) -> int | None:
    version = document.get("version")
    if version is not None and (not isinstance(version, int) or isinstance(version, bool) or version < 0):
        raise InvalidRequestError("Invalid version")
    return version


def _state(state: Any) -> Object | None:
    if state is None:
        return None
    if not isinstance(state, dict):
        raise InvalidRequestError("State node must be an object")
    for node, section in state.items():
        if node not in SECTIONS:
            raise InvalidRequestError(f"State contains an invalid node: '{node}'")
        if section is not None and not isinstance(section, dict):
            raise InvalidRequestError(f"{node.capitalize()} node must be an object")
        if depth(section) > MAX_DEPTH:
            raise InvalidRequestError(TOO_DEEP)
        if has_null_in_array(section):
            raise InvalidRequestError("Invalid JSON")
    return state


def _unique(pairs: list[tuple[str, Any]]) -> Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
