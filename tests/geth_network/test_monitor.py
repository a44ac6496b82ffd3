"""What a monitoring system hears of the chain."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from geth_network.health import judge
from geth_network.status import NodeStatus


def test_every_node_is_told_in_prometheus_s_form(shared):
    """The running network answers on its socket: it is ready, and each node has its head."""
    transport = httpx.HTTPTransport(uds=str(shared.home / "monitor.sock"))
    with httpx.Client(transport=transport, base_url="http://chain", timeout=60) as asking:
        assert asking.get("/healthz").json() == {"status": "ok"}
        assert asking.get("/readyz").json() == {"ready": True, "why": []}
        families = text_string_to_metric_families(asking.get("/metrics").text)
        assert asking.get("/elsewhere").status_code == 404
    heads = {
        sample.labels["node"]: sample.value
        for family in families
        for sample in family.samples
        if family.name == "lading_chain_node_head_block"
    }
    assert set(heads) == set(shared.names())
    assert min(heads.values()) >= 1


def test_a_chain_without_a_young_block_is_not_ready():
    """Neither is one whose RPC nodes are all silent; the reasons are told."""
    old = NodeStatus("sealer-1", "sealer", "up", head=5, age_s=31)
    assert judge([old], 30).why == ("no node has a young block", "no RPC node answers")
    assert judge([NodeStatus("rpc-1", "rpc", "up", head=5, age_s=2)], 30).why == ()
