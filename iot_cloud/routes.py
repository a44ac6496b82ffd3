"""The data plane's routes: AWS's `iot-data` ones, and the queries of readings, events and status."""

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from iot_cloud.access import Principal, Resource, may
from iot_cloud.names import is_shadow, is_thing
from iot_cloud.records import Records
from iot_cloud.shadow.errors import (
    ForbiddenError,
    InvalidRequestError,
    MethodNotAllowedError,
    ResourceNotFoundError,
)
from iot_cloud.shadow.service import Shadows
from iot_cloud.shadow.topics import Operation, ShadowTopic

log = logging.getLogger(__name__)
IDLE_TIMEOUT_S = 60.0
OPERATIONS = {"GET": Operation.GET, "POST": Operation.UPDATE, "DELETE": Operation.DELETE}


@dataclass(frozen=True)
class Route:
    """What a path and its query name."""

    resource: Resource
    thing: str
    query: dict[str, str]

    @classmethod
    def parse(cls, path: str) -> "Route":
        """The route of an undecoded path; ResourceNotFoundError or InvalidRequestError otherwise."""
        parts = urlsplit(path)
        match [unquote(part) for part in parts.path.split("/")]:
            case ["", "things", thing, "shadow" | "readings" | "events" | "status" as kind]:
                resource = Resource(kind)
            case ["", "api", "things", "shadow", "ListNamedShadowsForThing", thing]:
                resource = Resource.SHADOW_NAMES
            case _:
                raise ResourceNotFoundError("Not found")
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if not is_thing(thing) or (query.get("name") and not is_shadow(query["name"])):
            raise InvalidRequestError("Invalid thing or shadow name")
        return cls(resource, thing, query)

    @property
    def shadow(self) -> str:
        """The shadow's name, empty for the classic one."""
        return self.query.get("name", "")

    def number(self, key: str, default: int) -> int:
        """A whole number of the query."""
        text = self.query.get(key, str(default))
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise InvalidRequestError(f"{key} must be a whole number")
        return int(text)


@dataclass(frozen=True)
class Answers:
    """Carries routes out."""

    shadows: Shadows
    records: Records

    def answer(self, principal: Principal, method: str, route: Route, body: bytes) -> Any:
        """The answer to an authenticated request."""
        if not may(principal, method, route.resource, route.thing, route.shadow):
            raise ForbiddenError
        if route.resource is Resource.SHADOW:
            topic = ShadowTopic(route.thing, route.shadow, OPERATIONS[method])
            return self.shadows.carry_out(topic, body, sender=principal.sender)
        if method != "GET":
            raise MethodNotAllowedError
        if route.resource is Resource.SHADOW_NAMES:
            return self._names(route)
        return self._records(route)

    def _names(self, route: Route) -> dict[str, Any]:
        names = self.shadows.named(route.thing)
        size, start = route.number("pageSize", 25), route.number("nextToken", 0)
        page = names[start : start + size]
        more = {"nextToken": str(start + size)} if names[start + size :] else {}
        return {"results": page, "timestamp": int(datetime.now(UTC).timestamp())} | more

    def _records(self, route: Route) -> dict[str, Any]:
        after, limit = route.number("after", 0), route.number("limit", 100)
        if route.resource is Resource.READINGS:
            return {"readings": self.records.readings(route.thing, after, limit, route.query.get("sensor"))}
        if route.resource is Resource.EVENTS:
            return {"events": self.records.events(route.thing, after, limit)}
        found = self.records.status(route.thing)
        if found is None:
            raise ResourceNotFoundError(f"{route.thing} has never told its status")
        return found


def to_json(value: Any) -> str:
    """JSON for people and programs on the command line."""
    return json.dumps(value, indent=2, ensure_ascii=False)
