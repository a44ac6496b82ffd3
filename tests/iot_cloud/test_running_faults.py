"""A running cloud whose files are locked, whose disk is full, whose revocation list is spoilt, gets well again."""

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from iot_cloud import certificates
from tests.iot_cloud.devices import PahoDevice
from tests.iot_cloud.running import RunningCloud, wait_until
from tests.iot_cloud.test_data_plane import boto_client
from tests.iot_cloud.test_records import fetch
from tests.iot_cloud.test_wrong_certificates import ours

SPARE_BYTES = 100_000


def stored(cloud: RunningCloud, thing: str) -> list[int]:
    """The sequence numbers of a thing's readings."""
    answer = fetch(cloud, cloud.endpoint(thing), f"/things/{thing}/readings")
    return [each["seq"] for each in answer.json()["readings"]]


def reading(seq: int) -> dict[str, Any]:
    """A reading of some sensor."""
    return {"sensor": "door", "seq": seq, "at": 1, "value": 1, "unit": "open"}


@pytest.mark.slow
def test_locked_files_refuse_updates_and_delay_readings(cloud: RunningCloud, device: PahoDevice, thing: str) -> None:
    """While another process holds them an update is 500, over HTTPS too; a reading sent meanwhile is stored later."""
    device.update({"reported": {"n": 1}}, clientToken="before")
    device.expect("/update/accepted", clientToken="before")
    others = [sqlite3.connect(path, isolation_level=None) for path in (cloud.home.shadows, cloud.home.records)]
    for other in others:
        other.execute("BEGIN IMMEDIATE")
    device.update({"reported": {"n": 2}}, clientToken="locked")
    device.publish(f"lading/{thing}/readings", reading(1))
    refused = device.expect("/update/rejected", clientToken="locked")
    assert (refused["code"], refused["message"]) == (500, "Internal service failure")
    with pytest.raises(ClientError, match="Internal service failure") as over_https:
        boto_client(cloud).update_thing_shadow(thingName=thing, payload=b'{"state": {"reported": {"n": 3}}}')
    assert over_https.value.response["Error"]["Code"] == "InternalFailureException"
    cloud.await_log("service", f"could not store readings of {thing}, will try again")
    for other in others:
        other.execute("ROLLBACK")
        other.close()
    wait_until(lambda: stored(cloud, thing) == [1], "the reading")
    device.update({"desired": {"open": True}}, clientToken="after")
    assert device.expect("/update/accepted", clientToken="after")["version"] == 2
    device.publish(f"{device.prefix}/get", {"clientToken": "end"})
    assert device.expect("/get/accepted", clientToken="end")["state"]["reported"] == {"n": 1}


@pytest.fixture
def small() -> Iterator[RunningCloud]:
    """A cloud on a small disk of its own."""
    if os.geteuid() != 0:
        pytest.skip("a file system of its own can be mounted by root only")
    folder = Path(tempfile.mkdtemp(prefix="lc", dir="/tmp"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", str(folder)], check=True)
    try:
        running = RunningCloud.start(folder)
        yield running
        running.stop()
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        shutil.rmtree(folder)


@pytest.mark.slow
def test_a_full_disk_refuses_and_ends_with_space(small: RunningCloud) -> None:
    """No byte left: updates are 500, the processes live on, nothing accepted is lost; with space all works again."""
    device = PahoDevice("gate-1", small.provision("gate-1")).online()
    assert device.subscribe(f"{device.prefix}/#")
    device.update({"reported": {"n": 1}}, clientToken="before")
    device.expect("/update/accepted", clientToken="before")
    children = small.children()
    ballast = small.folder / "ballast"
    room = os.statvfs(small.folder)
    with ballast.open("wb", buffering=0) as file:
        for size in (room.f_bavail * room.f_bsize - SPARE_BYTES, 1 << 12):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue

    def refused() -> Any:
        device.update({"reported": {"big": os.urandom(3000).hex()}}, clientToken="full")
        return device.bodies("/update/rejected")

    assert wait_until(refused, "a refusal")[0]["message"] == "Internal service failure"
    device.publish("lading/gate-1/readings", reading(1))
    device.publish(f"{device.prefix}/get", {"clientToken": "read"})
    device.expect("/get/accepted", clientToken="read")
    ballast.unlink()
    wait_until(lambda: stored(small, "gate-1") == [1], "the reading")
    accepted = device.bodies("/update/accepted")[-1]["version"]
    device.update({"reported": {"n": 2}}, clientToken="after")
    assert device.expect("/update/accepted", clientToken="after")["version"] == accepted + 1
    assert small.children() == children
    small.provision("gate-2")
    device.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["garbage", "expired", "missing"])
def test_a_spoilt_revocation_list_given_to_the_broker_is_replaced(
    cloud: RunningCloud, connect: Any, thing: str, kind: str
) -> None:
    """The broker told to read it: soon nobody revoked is let in, everybody else is, and the log says what happened."""
    lost = f"{thing}-lost"
    gone = cloud.provision(lost)
    cloud.api("DELETE", f"/things/{lost}")
    before = cloud.home.log("cloud").read_text().count("old or not ours")
    spoil(cloud, kind)
    os.kill(cloud.children()["broker"], signal.SIGHUP)
    wait_until(lambda: cloud.home.log("cloud").read_text().count("old or not ours") > before, "a new list")
    connect(thing)
    lines = cloud.refusals()
    intruder = PahoDevice(lost, gone)
    wait_until(lambda: cloud.refusals() > lines, "the refusal")
    assert not intruder.connected.is_set()
    intruder.close()


def spoil(cloud: RunningCloud, kind: str) -> None:
    """Put something else where the list was."""
    if kind == "missing":
        cloud.home.crl.unlink()
    elif kind == "garbage":
        cloud.home.crl.write_text("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
    else:
        old = certificates.revocation_list(ours(cloud), [], 1, datetime.now(UTC) - timedelta(days=9), days=2)
        cloud.home.crl.write_text(certificates.pem(old))
