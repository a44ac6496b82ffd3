"""The shadow's MQTT topics. Pure.

Source: https://docs.aws.amazon.com/iot/latest/developerguide/reserved-topics.html#reserved-topics-shadow
"""

from dataclasses import dataclass
from enum import StrEnum

from iot_cloud.names import is_shadow, is_thing


class Operation(StrEnum):
    """What a client asks for."""

    GET = "get"
    UPDATE = "update"
    DELETE = "delete"


REQUEST_FILTERS = tuple(
    f"$aws/things/+/shadow/{infix}{operation}" for infix in ("", "name/+/") for operation in Operation
)


@dataclass(frozen=True)
class ShadowTopic:
    """Which shadow a topic speaks of; the classic shadow's name is empty."""

    thing: str
    name: str
    operation: Operation

    @classmethod
    def parse(cls, topic: str) -> "ShadowTopic | None":
        """The request behind a topic, or None if it is no request's topic."""
        match topic.split("/"):
            case ["$aws", "things", thing, "shadow", operation]:
                name = ""
            case ["$aws", "things", thing, "shadow", "name", name, operation] if is_shadow(name):
                pass
            case _:
                return None
        if operation not in tuple(Operation) or not is_thing(thing):
            return None
        return cls(thing, name, Operation(operation))

    def __str__(self) -> str:
        return f"{shadow_prefix(self.thing, self.name)}/{self.operation}"


def shadow_prefix(thing: str, name: str) -> str:
    """What all topics of one shadow begin with."""
    return f"$aws/things/{thing}/shadow/name/{name}" if name else f"$aws/things/{thing}/shadow"
