"""A shadow's document and how updates change it. Pure: no clock, no store.

Source: https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-document.html
"""

import json
from dataclasses import dataclass, field, replace

from iot_cloud.shadow.errors import TooLargeError, VersionConflictError
from iot_cloud.shadow.request import SECTIONS, Update
from iot_cloud.shadow.tree import Json, Object, difference, merge

MAX_BYTES = 8 * 1024
DELETED_VERSION_KEPT_S = 48 * 3600


@dataclass(frozen=True)
class Document:
    """A shadow at one version; version 0 is one that never was. Times are Unix seconds."""

    state: Object = field(default_factory=dict)
    metadata: Object = field(default_factory=dict)
    version: int = 0
    timestamp: int = 0
    exists: bool = False


def update(document: Document, request: Update, now: int) -> Document:
    """The document after an accepted update; VersionConflictError or TooLargeError if it is refused."""
    if request.version is not None and request.version != document.version:
        raise VersionConflictError
    state, metadata = ({}, {}) if request.state is None else _merge_sections(document, request.state, now)
    if sum(len(compact(section)) for section in state.values()) > MAX_BYTES:
        raise TooLargeError
    return Document(state, metadata, document.version + 1, now, exists=True)


def delete(document: Document, now: int) -> Document:
    """The document after its deletion: it keeps its version, so that a late writer is still refused."""
    return replace(document, state={}, metadata={}, timestamp=now, exists=False)


def forget(document: Document, now: int) -> Document:
    """The document as seen now: a deleted one's version is remembered for 48 hours."""
    if not document.exists and now - document.timestamp >= DELETED_VERSION_KEPT_S:
        return Document()
    return document


def delta(document: Document) -> tuple[Object, Object]:
    """Every outstanding difference and its metadata; both empty if desired holds nothing that reported lacks."""
    desired, reported = (document.state.get(section, {}) for section in SECTIONS)
    return difference(desired, reported, document.metadata.get("desired", {}))


def compact(value: Json) -> bytes:
    """JSON as it is sent and measured: UTF-8, no spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _merge_sections(document: Document, patch: Object, now: int) -> tuple[Object, Object]:
    state, metadata = dict(document.state), dict(document.metadata)
    for section, value in patch.items():
        tree, times = (
            ({}, {}) if value is None else merge(state.get(section, {}), metadata.get(section, {}), value, now)
        )
        state.pop(section, None)
        metadata.pop(section, None)
        if tree:
            state[section], metadata[section] = tree, times
    return state, metadata
