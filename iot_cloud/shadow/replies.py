"""The documents that the service sends. Pure.

Source: https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-mqtt.html
"""

from iot_cloud.shadow.document import Document, delta
from iot_cloud.shadow.errors import ShadowError
from iot_cloud.shadow.request import Update
from iot_cloud.shadow.tree import Object, stamp


def update_accepted(document: Document, request: Update) -> Object:
    """Only what was requested comes back, each leaf with the time of this update."""
    return _with_token(
        {
            "state": request.state,
            "metadata": stamp(request.state, document.timestamp),
            "version": document.version,
            "timestamp": document.timestamp,
        },
        request.client_token,
    )


def update_delta(document: Document, token: str | None) -> Object | None:
    """Every outstanding difference, or None if there is none."""
    outstanding, times = delta(document)
    if not outstanding:
        return None
    return _with_token(
        {
            "version": document.version,
            "timestamp": document.timestamp,
            "state": outstanding,
            "metadata": times,
        },
        token,
    )


def update_documents(previous: Document, current: Document, token: str | None) -> Object:
    """The whole document before and after."""
    return _with_token(
        {"previous": _snapshot(previous), "current": _snapshot(current), "timestamp": current.timestamp}, token
    )


def get_accepted(document: Document, token: str | None, now: int) -> Object:
    """The whole document with what is outstanding."""
    outstanding, _ = delta(document)
    state = document.state | ({"delta": outstanding} if outstanding else {})
    return _with_token(
        {"state": state, "metadata": document.metadata, "version": document.version, "timestamp": now}, token
    )


def delete_accepted(document: Document, token: str | None) -> Object:
    """The last version and the time of the deletion."""
    return _with_token({"version": document.version, "timestamp": document.timestamp}, token)


def rejected(error: ShadowError, token: str | None, now: int) -> Object:
    """A refusal; AWS leaves the time out where there is no document."""
    body: Object = {"code": error.code, "message": str(error)}
    if error.code != 404:
        body["timestamp"] = now
    return _with_token(body, token)


def _snapshot(document: Document) -> Object:
    return {"state": document.state, "metadata": document.metadata, "version": document.version}


def _with_token(body: Object, token: str | None) -> Object:
    return body if token is None else body | {"clientToken": token}
