"""A full disk of the logs stops nobody, and is said."""

from collections import namedtuple
from pathlib import Path
from unittest import mock

from proxy.status import disk_trouble
from tests.proxy.authority import Authority
from tests.proxy.conftest import PLENTY
from tests.proxy.node import Node
from tests.proxy.running import Running, ask, rpc

Usage = namedtuple("Usage", "free")


def test_service_goes_on_when_no_line_can_be_written(home: Path, shared_node: Node) -> None:
    """The access log is a device that is always full."""
    logs = home / "gateway" / "logs"
    logs.mkdir(parents=True)
    (logs / "access.log").symlink_to("/dev/full")
    gateway = Running(home, Authority(home / "ca"), [shared_node.url], **PLENTY)
    gateway.up()
    assert [ask(gateway.wallets(), rpc("eth_chainId")).status for _ in range(20)] == [200] * 20
    gateway.down()


def test_full_disk_is_said(tmp_path: Path) -> None:
    """In the words that /healthz repeats."""
    assert disk_trouble(tmp_path) == ""
    with mock.patch("shutil.disk_usage", return_value=Usage(0)):
        assert "is full" in disk_trouble(tmp_path)
