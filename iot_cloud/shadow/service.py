"""The shadow service's heart: a request becomes a committed document, an answer and messages to publish.

MQTT and HTTP call it alike. The lock spans commit and publication, so messages leave in the order of versions.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from iot_cloud.shadow import document as rules
from iot_cloud.shadow import replies
from iot_cloud.shadow.document import Document
from iot_cloud.shadow.errors import InternalError, ShadowError, ShadowNotFoundError
from iot_cloud.shadow.request import Update, parse_token, parse_update, token_of
from iot_cloud.shadow.store import ShadowStore
from iot_cloud.shadow.topics import Operation, ShadowTopic, shadow_prefix
from iot_cloud.shadow.tree import Object

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Message:
    """Something to publish at QoS 1."""

    topic: str
    body: Object


Publish: TypeAlias = Callable[[Iterable[Message]], None]
Admit: TypeAlias = Callable[[str], None]


class Shadows:
    """All shadows of the cloud.

    Args:
        store: where documents are kept.
        publish: takes the messages of one request, in order, each made when it is taken; must not block.
        admit: raises TooManyRequestsError for a thing that sends too fast.
        now: the clock, Unix seconds.
    """

    def __init__(
        self, store: ShadowStore, publish: Publish, admit: Admit, now: Callable[[], float] = time.time
    ) -> None:
        self._store, self._publish, self._admit, self._now = store, publish, admit, now
        self._lock = threading.Lock()

    def ask(self, topic: ShadowTopic, payload: bytes) -> ShadowError | None:
        """A request over MQTT: every answer is published. A refusal is published and returned."""
        try:
            self.carry_out(topic, payload, answer=True)
        except ShadowError as error:
            body = replies.rejected(error, token_of(payload), self._seconds())
            self._publish([Message(f"{topic}/rejected", body)])
            return error
        return None

    def carry_out(
        self, topic: ShadowTopic, payload: bytes, *, answer: bool = False, sender: str | None = None
    ) -> Object:
        """Carry a request out and return its answer, or raise ShadowError.

        An update's messages are published either way; the answer to a get only if `answer`. The request counts
        against the sender's limit, which is the thing's own unless another one is named.
        """
        self._admit(sender or topic.thing)
        act = {Operation.UPDATE: self._update, Operation.GET: self._get, Operation.DELETE: self._delete}
        try:
            return act[topic.operation](topic, payload, answer)
        except sqlite3.Error as error:
            log.error("store refused %s of %s: %s", topic.operation, topic.thing, error)  # noqa: TRY400
            raise InternalError from error

    def named(self, thing: str) -> list[str]:
        """The names of a thing's named shadows."""
        with self._lock:
            return self._store.names(thing)

    def _update(self, topic: ShadowTopic, payload: bytes, _answer: bool) -> Object:
        request = parse_update(payload)
        with self._lock:
            now = self._seconds()
            previous = rules.forget(self._store.read(topic.thing, topic.name), now)
            current = rules.update(previous, request, now)
            self._store.write(topic.thing, topic.name, current)
            accepted = replies.update_accepted(current, request)
            self._publish(_messages(topic, accepted, previous, current, request))
        return accepted

    def _get(self, topic: ShadowTopic, payload: bytes, answer: bool) -> Object:
        token = parse_token(payload)
        with self._lock:
            found = self._existing(topic)
            body = replies.get_accepted(found, token, self._seconds())
            if answer:
                self._publish([Message(f"{topic}/accepted", body)])
        return body

    def _delete(self, topic: ShadowTopic, payload: bytes, _answer: bool) -> Object:
        token = parse_token(payload)
        with self._lock:
            gone = rules.delete(self._existing(topic), self._seconds())
            self._store.write(topic.thing, topic.name, gone)
            body = replies.delete_accepted(gone, token)
            self._publish([Message(f"{topic}/accepted", body)])
        return body

    def _existing(self, topic: ShadowTopic) -> Document:
        found = self._store.read(topic.thing, topic.name)
        if not found.exists:
            raise ShadowNotFoundError(topic.thing, topic.name)
        return found

    def _seconds(self) -> int:
        return int(self._now())


def _messages(
    topic: ShadowTopic, accepted: Object, previous: Document, current: Document, request: Update
) -> Iterator[Message]:
    prefix = f"{shadow_prefix(topic.thing, topic.name)}/update"
    if delta := replies.update_delta(current, request.client_token):
        yield Message(f"{prefix}/delta", delta)
    yield Message(f"{prefix}/accepted", accepted)
    yield Message(f"{prefix}/documents", replies.update_documents(previous, current, request.client_token))
