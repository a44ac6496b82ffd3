"""Which names the cloud takes, and which it refuses before it signs."""

import pytest

from iot_cloud.errors import ThingNameError
from iot_cloud.names import check_host


@pytest.mark.parametrize(
    "name", ["localhost", "gate.example.org", "xn--bcher-kva.example", "127.0.0.1", "::1", "a" * 63]
)
def test_hosts_names_and_addresses_are_taken(name: str) -> None:
    """As they are written."""
    assert check_host(name) == name


@pytest.mark.parametrize(
    "name", ["", "not a name", "-a", "a-", "a..b", "a" * 64, "*.example.org", "a/b", "a.b.", None, "x." * 200]
)
def test_what_is_no_hosts_name_is_refused(name: object) -> None:
    """Wildcards too: a gateway's certificate names its own hosts."""
    with pytest.raises(ThingNameError, match="neither a host's name nor an address"):
        check_host(name)
