"""What a monitoring system hears of a door."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from iot_client.health import judge
from tests.iot_client.warehouse import Door


@pytest.mark.slow
def test_a_door_is_told_in_prometheus_s_form(spare_door: Door) -> None:
    """A running door is ready; its gate's state is a label."""
    path = spare_door.folder / "monitor.sock"
    spare_door.start(monitor=f"unix:{path}")
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://door", timeout=60) as asking:
        assert asking.get("/healthz").json() == {"status": "ok"}
        assert asking.get("/readyz").json() == {"ready": True, "why": []}
        families = {one.name: one for one in text_string_to_metric_families(asking.get("/metrics").text)}
    assert families["lading_pi_gate_state"].samples[0].labels == {"state": "LOCKED"}
    assert families["lading_pi_cloud_connected"].samples[0].value == 1
    assert spare_door.stop() == 0
    assert not path.exists()


@pytest.mark.parametrize(
    ("gate", "cloud", "why"),
    [
        ("JAMMED", True, ("the gate is JAMMED",)),
        (None, False, ("the cloud is away", "the gate is unknown")),
        ("OPEN", True, ()),
    ],
)
def test_a_door_that_cannot_serve_says_why(gate: str | None, cloud: bool, why: tuple[str, ...]) -> None:
    """Jammed, unknown, without its cloud."""
    assert judge({"gate": gate, "cloud": cloud, "releases": []}).why == why
