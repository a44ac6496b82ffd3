"""What a monitoring system hears of the cloud."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.iot_cloud.running import RunningCloud


def test_parts_and_certificates_are_told_in_prometheus_s_form(cloud: RunningCloud, thing: str) -> None:
    """It is ready while broker and service run; a provisioned thing's certificate is counted."""
    cloud.provision(thing)
    transport = httpx.HTTPTransport(uds=str(cloud.folder / "monitor.sock"))
    with httpx.Client(transport=transport, base_url="http://cloud", timeout=60) as asking:
        assert asking.get("/healthz").json() == {"status": "ok"}
        assert asking.get("/readyz").json() == {"ready": True, "why": []}
        families = {one.name: one for one in text_string_to_metric_families(asking.get("/metrics").text)}
    parts = {sample.labels["part"]: sample.value for sample in families["lading_cloud_part_up"].samples}
    assert parts == {"broker": 1, "service": 1}
    assert families["lading_cloud_certificates"].samples[0].value >= 1
