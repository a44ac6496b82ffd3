"""Which topics are requests, and to which shadow."""

import pytest

from iot_cloud.shadow.topics import Operation, ShadowTopic


@pytest.mark.parametrize("operation", list(Operation))
def test_classic_and_named(operation: Operation) -> None:
    """Both forms are understood and written back."""
    for topic, name in (
        (f"$aws/things/gate-1/shadow/{operation}", ""),
        (f"$aws/things/gate-1/shadow/name/operator/{operation}", "operator"),
    ):
        assert ShadowTopic.parse(topic) == ShadowTopic("gate-1", name, operation)
        assert str(ShadowTopic.parse(topic)) == topic


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "$aws/things/gate-1/shadow",
        "$aws/things/gate-1/shadow/update/delta",
        "$aws/things/gate-1/shadow/erase",
        "$aws/things//shadow/get",
        "$aws/things/gate 1/shadow/get",
        f"$aws/things/{'x' * 129}/shadow/get",
        "$aws/things/gate-1/shadow/name//get",
        f"$aws/things/gate-1/shadow/name/{'x' * 65}/get",
        "$aws/things/gate-1/shadow/name/a/b/get",
        "aws/things/gate-1/shadow/get",
        "$aws/things/ü/shadow/get",
    ],
)
def test_anything_else_is_no_request(topic: str) -> None:
    """Foreign topics and names that AWS would not take are passed over."""
    assert ShadowTopic.parse(topic) is None
