"""Who may ask what over HTTP: the same rights as on the broker. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from iot_cloud.policy import Role

OPERATOR_SHADOW = "operator"


class Resource(StrEnum):
    """What a route leads to."""

    SHADOW = "shadow"
    SHADOW_NAMES = "shadow names"
    READINGS = "readings"
    EVENTS = "events"
    STATUS = "status"


@dataclass(frozen=True)
class Principal:
    """Who asks, as proven by certificate or signature."""

    name: str
    role: Role

    @property
    def sender(self) -> str:
        """Whose limit of requests counts: a device's is the same over MQTT and HTTPS, no one else uses it up."""
        return self.name if self.role is Role.DEVICE else f"{self.role} {self.name}"


def may(principal: Principal, method: str, resource: Resource, thing: str, shadow: str = "") -> bool:
    """Whether the principal may do this to this thing."""
    match principal.role:
        case Role.OPERATOR:
            return True
        case Role.DEVICE:
            return principal.name == thing
        case Role.WEB:
            commands = resource is Resource.SHADOW and method == "POST" and shadow == OPERATOR_SHADOW
            return method == "GET" or commands
    return False
