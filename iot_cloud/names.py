"""Names of things and shadows, as AWS IoT takes them."""

import re

from iot_cloud.errors import ThingNameError

THING = re.compile(r"[a-zA-Z0-9:_-]{1,128}")
SHADOW = re.compile(r"[$a-zA-Z0-9:_-]{1,64}")

# The cloud's own clients. The dot keeps them apart: no thing can have such a name.
SERVICE = "lading.service"
ADMIN = "lading.admin"
OPERATOR = "lading.operator"


def check_thing(name: object) -> str:
    """The name itself, or ThingNameError."""
    if not isinstance(name, str) or not THING.fullmatch(name):
        raise ThingNameError(f"{name!r} is not a thing's name: 1 to 128 letters, digits, colons, underscores, hyphens")
    return name


def is_thing(name: str) -> bool:
    """Whether AWS IoT would take this as a thing's name."""
    return THING.fullmatch(name) is not None


def is_shadow(name: str) -> bool:
    """Whether AWS IoT would take this as a shadow's name."""
    return SHADOW.fullmatch(name) is not None
