"""The end of a thing: offline at once, everywhere, for good."""

import subprocess
import time

import pytest
from botocore.exceptions import ClientError

from iot_cloud import certificates
from iot_cloud.admin_client import RefusedError
from tests.iot_cloud.devices import PahoDevice
from tests.iot_cloud.running import RunningCloud, wait_until
from tests.iot_cloud.test_data_plane import boto_client


@pytest.mark.row("B14")
@pytest.mark.row("I6")
@pytest.mark.row("I8")
def test_a_revoked_device_is_offline_at_once_and_cannot_return(cloud: RunningCloud, thing: str) -> None:
    """Its open session ends, it cannot connect again, and HTTP refuses it on a connection that is open."""
    endpoint = cloud.provision(thing)
    device = PahoDevice(thing, endpoint).online()
    client = boto_client(cloud, endpoint)
    client.update_thing_shadow(thingName=thing, payload=b'{"state": {}}')
    before, started = cloud.refusals(), time.monotonic()
    cloud.api("DELETE", f"/things/{thing}")
    wait_until(lambda: not device.connected.is_set(), "the end of the session")
    print(f"offline after {time.monotonic() - started:.2f} s")
    with pytest.raises(ClientError) as refused:
        client.update_thing_shadow(thingName=thing, payload=b'{"state": {}}')
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    client.close()
    wait_until(lambda: cloud.refusals() > before, "a refused attempt to return")
    assert not device.connected.is_set()
    device.close()


def test_the_others_stay_connected(cloud: RunningCloud, thing: str, device: PahoDevice) -> None:
    """A revocation costs nobody else the session."""
    cloud.provision(f"{thing}-lost")
    cloud.api("DELETE", f"/things/{thing}-lost")
    device.update({"reported": {"here": True}}, clientToken="still")
    device.expect("/update/accepted", clientToken="still")
    assert device.disconnects == 0


def test_revocation_may_be_repeated_and_a_key_never_returns(cloud: RunningCloud, thing: str) -> None:
    """The second revocation changes nothing; the revoked key gets no certificate again, a new one does."""
    key = certificates.new_key()
    body = {"thing": thing, "csr": certificates.request(thing, key), "role": "device"}
    cloud.api("POST", "/things", body)
    assert len(cloud.api("DELETE", f"/things/{thing}")["revoked"]) == 1
    assert cloud.api("DELETE", f"/things/{thing}")["revoked"] == []
    with pytest.raises(RefusedError) as refused:
        cloud.api("POST", "/things", body)
    assert refused.value.reason == "conflict"
    PahoDevice(thing, cloud.provision(thing)).online().close()


def test_the_list_names_the_revoked_and_openssl_believes_it(cloud: RunningCloud, thing: str) -> None:
    """`openssl verify -crl_check` accepts a valid certificate and refuses a revoked one."""
    endpoint = cloud.provision(thing)

    def verify() -> subprocess.CompletedProcess[str]:
        command = ["openssl", "verify", "-crl_check", "-CRLfile", str(cloud.home.crl)]
        command += ["-CAfile", str(endpoint.ca), str(endpoint.certificate)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert verify().returncode == 0
    cloud.api("DELETE", f"/things/{thing}")
    assert "certificate revoked" in verify().stderr
