"""Who may do what on which topic: the same rules as broker roles and as AWS IoT policies. Pure.

A role is a list of grants; whatever no grant names is refused.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from iot_cloud.names import ADMIN, OPERATOR, SERVICE
from iot_cloud.shadow.topics import REQUEST_FILTERS

CONTROL = "$CONTROL/dynamic-security/#"
PRESENCE = "$aws/events/#"


class Role(StrEnum):
    """What a client is."""

    DEVICE = "device"
    WEB = "web"
    OPERATOR = "operator"
    SERVICE = "service"
    ADMIN = "admin"


@dataclass(frozen=True)
class Grant:
    """Topics to publish on, and topic filters to subscribe to and receive from."""

    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()


def grant(role: Role, name: str) -> Grant:
    """The rights of a client of this role and name."""
    return _GRANTS[role](name)


def _device(thing: str) -> Grant:
    own = f"$aws/things/{thing}/shadow"
    requests = [f"{own}/{infix}{verb}" for infix in ("", "name/+/") for verb in ("get", "update", "delete")]
    records = [f"lading/{thing}/{kind}" for kind in ("readings", "events", "status")]
    return Grant(publish=(*requests, *records), subscribe=(f"{own}/#",))


def _web(_name: str) -> Grant:
    return Grant(
        publish=("$aws/things/+/shadow/name/operator/update",),
        subscribe=("$aws/things/+/shadow/update/documents", PRESENCE, "lading/+/events", "lading/+/status"),
    )


def _operator(_name: str) -> Grant:
    return Grant(subscribe=("$aws/things/+/shadow/#", PRESENCE, "lading/#"))


def _service(_name: str) -> Grant:
    return Grant(
        publish=("$aws/things/+/shadow/#", PRESENCE),
        subscribe=(*REQUEST_FILTERS, "lading/#", "$SYS/broker/log/#"),
    )


def _admin(_name: str) -> Grant:
    return Grant(publish=(CONTROL,), subscribe=(CONTROL,))


_GRANTS = {
    Role.DEVICE: _device,
    Role.WEB: _web,
    Role.OPERATOR: _operator,
    Role.SERVICE: _service,
    Role.ADMIN: _admin,
}

INTERNAL = {SERVICE: Role.SERVICE, ADMIN: Role.ADMIN, OPERATOR: Role.OPERATOR}


def broker_role(role: Role, name: str) -> dict[str, Any]:
    """A role of mosquitto's dynamic-security plugin."""
    given = grant(role, name)
    acls = [("publishClientSend", topic) for topic in given.publish]
    acls += [(kind, topic) for topic in given.subscribe for kind in ("subscribePattern", "publishClientReceive")]
    return {
        "rolename": role_name(name),
        "acls": [{"acltype": kind, "topic": topic, "priority": 0, "allow": True} for kind, topic in acls],
    }


def broker_client(name: str) -> dict[str, Any]:
    """A client of the plugin; the certificate is its only proof, so it has no password."""
    return {"username": name, "roles": [{"rolename": role_name(name), "priority": 0}]}


def role_name(name: str) -> str:
    """One role a client."""
    return f"role-{name}"


def broker_document(clients: dict[str, Role]) -> dict[str, Any]:
    """The plugin's whole file: everybody who may do something, and nothing for anybody else."""
    everybody = INTERNAL | clients
    return {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": False,
            "subscribe": False,
            "unsubscribe": True,
        },
        "clients": [broker_client(name) for name in everybody],
        "groups": [],
        "roles": [broker_role(role, name) for name, role in everybody.items()],
    }


def aws_policy(role: Role, name: str, arn: str) -> dict[str, Any]:
    """The same rights as an AWS IoT policy; `arn` is `arn:aws:iot:<region>:<account>`."""
    given = grant(role, name)
    publish = [f"{arn}:topic/{topic.replace('+', '*')}" for topic in given.publish]
    receive = [f"{arn}:topic/{_star(topic)}" for topic in given.subscribe]
    subscribe = [f"{arn}:topicfilter/{_star(topic)}" for topic in given.subscribe]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{arn}:client/{name}"},
            {"Effect": "Allow", "Action": "iot:Publish", "Resource": publish},
            {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": subscribe},
            {"Effect": "Allow", "Action": "iot:Receive", "Resource": receive},
        ],
    }


def _star(topic: str) -> str:
    return topic.replace("+", "*").replace("#", "*")
