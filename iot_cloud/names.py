"""Names of things and shadows, as AWS IoT takes them."""

import re
from contextlib import suppress
from ipaddress import ip_address

from iot_cloud.errors import ThingNameError

THING = re.compile(r"[a-zA-Z0-9:_-]{1,128}")
SHADOW = re.compile(r"[$a-zA-Z0-9:_-]{1,64}")
LABEL = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")

# The cloud's own clients. The dot keeps them apart: no thing can have such a name.
SERVICE = "lading.service"
ADMIN = "lading.admin"
OPERATOR = "lading.operator"


def check_thing(name: object) -> str:
    """The name itself, or ThingNameError."""
    if not isinstance(name, str) or not THING.fullmatch(name):
        raise ThingNameError(f"{name!r} is not a thing's name: 1 to 128 letters, digits, colons, underscores, hyphens")
    return name


def check_host(name: object) -> str:
    """A server's address or DNS name itself (RFC 1123), or ThingNameError."""
    if isinstance(name, str):
        with suppress(ValueError):
            return str(ip_address(name))
        if len(name) <= 253 and all(LABEL.fullmatch(label) for label in name.split(".")):
            return name
    raise ThingNameError(f"{name!r} is neither a host's name nor an address")


def is_thing(name: str) -> bool:
    """Whether AWS IoT would take this as a thing's name."""
    return THING.fullmatch(name) is not None


def is_shadow(name: str) -> bool:
    """Whether AWS IoT would take this as a shadow's name."""
    return SHADOW.fullmatch(name) is not None
