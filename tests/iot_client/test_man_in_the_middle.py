"""Who stands between the Pi and its gateway or cloud, without their authority's certificate, hears nothing."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from contracts.errors import NodeError
from iot_client.chain.node import Node, reach
from iot_client.cloud.link import Endpoint, Link
from iot_client.settings import PiSettings
from tests.iot_client.impostor import Impostor, impersonate, write_material

pytestmark = pytest.mark.row("N10")
OURS, STRANGERS = trustme.CA(organization_name="Lading CA"), trustme.CA(organization_name="Lading CA")
IMPOSTORS = {
    "another authority's certificate": lambda: impersonate(STRANGERS, "127.0.0.1", "localhost"),
    "our authority's, for another host": lambda: impersonate(OURS, "elsewhere.example"),
}


@pytest.fixture(params=IMPOSTORS)
def impostor(request: pytest.FixtureRequest) -> Iterator[Impostor]:
    """One who answers in the gateway's or the cloud's place."""
    with IMPOSTORS[request.param]() as standing:
        yield standing


def ask(folder: Path, port: int) -> int:
    """Ask for the head as the Pi does."""
    files = write_material(OURS, folder)
    settings = PiSettings.model_construct(
        chain_url=f"https://127.0.0.1:{port}", timeout_s=5, folder=folder, gateway_ca=files["ca"],
        certificate=files["certificate"], private_key=files["private_key"],
    )  # fmt: skip
    return Node(reach(settings), "0x" + "11" * 20).head().number


def test_in_the_gateways_place_it_gets_no_request(impostor: Impostor, tmp_path: Path) -> None:
    """The Pi breaks the handshake off: neither question nor signed transaction is sent."""
    with pytest.raises(NodeError):
        ask(tmp_path, impostor.port)
    assert impostor.wait_turned_away()
    assert impostor.heard == []


@pytest.mark.filterwarnings("ignore:ssl.PROTOCOL_TLS is deprecated", "ignore:unclosed:ResourceWarning")
def test_in_the_clouds_place_it_gets_no_message(impostor: Impostor, tmp_path: Path) -> None:
    """The Pi never counts itself connected, and says nothing (AWS's SDK asks for TLS in a deprecated way)."""
    files = write_material(OURS, tmp_path)
    endpoint = Endpoint(
        "127.0.0.1", impostor.port, "gate-1", files["ca"], files["certificate"], files["private_key"], keep_alive_s=5
    )
    online: list[bool] = []
    link = Link(endpoint, lambda _topic, _payload: None, online.append)
    link.start()
    try:
        assert impostor.wait_turned_away()
    finally:
        link.stop()
        del link
        gc.collect()  # the SDK leaves the sockets of failed handshakes to the collector
    assert impostor.heard == []
    assert True not in online


def test_the_same_server_with_the_gateways_certificate_is_heard(tmp_path: Path) -> None:
    """What is refused above is refused for its certificate and for nothing else."""
    with impersonate(OURS, "127.0.0.1") as gateway:
        with pytest.raises(NodeError):
            ask(tmp_path, gateway.port)
        assert any(b"eth_getBlockByNumber" in said or b"POST /" in said for said in gateway.heard)
