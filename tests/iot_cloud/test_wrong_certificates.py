"""Certificates of every wrong kind open neither the broker nor the data plane."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from iot_cloud import certificates
from iot_cloud.certificates import Issuer
from iot_cloud.connection import Endpoint
from tests.iot_cloud.devices import PahoDevice
from tests.iot_cloud.running import RunningCloud, wait_until

Made = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]
NOW = datetime.now(UTC)


def issuer(certificate: Path, key: Path) -> Issuer:
    """Who signs with these files."""
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return Issuer(x509.load_pem_x509_certificate(certificate.read_bytes()), private)


def ours(cloud: RunningCloud) -> Issuer:
    """The cloud's own authority, as somebody who stole its key."""
    return issuer(cloud.home.ca / "issuer.pem", cloud.home.ca / "ca.key")


def signed(by: Issuer, name: str, now: datetime = NOW) -> Made:
    """A client's certificate, good for one day from `now`."""
    key = certificates.new_key()
    csr = certificates.read_request(certificates.request(name, key))
    return certificates.client_certificate(by, csr, name, "device", now=now, days=1), key


def of_a_stranger(_cloud: RunningCloud, name: str) -> Made:
    """Another authority of the same name."""
    return signed(certificates.new_authority("Lading CA", NOW), name)


def of_a_stranger_for_the_service(_cloud: RunningCloud, _name: str) -> Made:
    """Another authority's, in the name of the cloud's own service."""
    return signed(certificates.new_authority("Lading CA", NOW), "lading.service")


def of_itself(_cloud: RunningCloud, name: str) -> Made:
    """Self-signed."""
    made = certificates.new_authority(name, NOW)
    return made.certificate, made.key


def of_a_device(cloud: RunningCloud, name: str) -> Made:
    """Signed with a device's key, which may sign nothing."""
    endpoint = cloud.provision(f"{name}-signer")
    return signed(issuer(endpoint.certificate, endpoint.key), name)


def expired(cloud: RunningCloud, name: str) -> Made:
    """Ours, ended yesterday."""
    return signed(ours(cloud), name, NOW - timedelta(days=2))


def not_yet_valid(cloud: RunningCloud, name: str) -> Made:
    """Ours, from tomorrow on."""
    return signed(ours(cloud), name, NOW + timedelta(days=1))


def a_servers(cloud: RunningCloud, name: str) -> Made:
    """Ours, for a TLS server."""
    key = certificates.new_key()
    body = {"name": name, "hosts": ["localhost"], "csr": certificates.request(name, key)}
    return x509.load_pem_x509_certificate(cloud.api("POST", "/servers", body)["certificate"].encode()), key


def the_authoritys_own(cloud: RunningCloud, _name: str) -> Made:
    """The authority's certificate itself."""
    found = ours(cloud)
    return found.certificate, found.key


WRONG = [
    of_a_stranger,
    of_a_stranger_for_the_service,
    of_itself,
    of_a_device,
    expired,
    not_yet_valid,
    a_servers,
    the_authoritys_own,
]


def keep(cloud: RunningCloud, name: str, made: Made) -> Endpoint:
    """Files of a certificate and its key."""
    certificate, key = made
    return cloud.keep(f"{name}-wrong", certificates.key_pem(key), {"certificate": certificates.pem(certificate)})


def ask(cloud: RunningCloud, endpoint: Endpoint, thing: str) -> int:
    """What HTTPS answers to a device that reads its shadow; 0 if the connection is refused."""
    url = f"{cloud.ready['http']}/things/{thing}/shadow"
    files = (str(endpoint.certificate), str(endpoint.key))
    try:
        return requests.get(url, cert=files, verify=str(endpoint.ca), timeout=60).status_code
    except (requests.exceptions.SSLError, requests.exceptions.ConnectionError):
        return 0


@pytest.mark.row("M3")
@pytest.mark.parametrize("make", WRONG, ids=[each.__name__ for each in WRONG])
def test_wrong_certificates_are_refused(cloud: RunningCloud, thing: str, make: Callable[..., Made]) -> None:
    """The broker refuses the handshake and logs it; the data plane answers nothing or 403. The right one goes on."""
    right = cloud.provision(thing)
    wrong = keep(cloud, thing, make(cloud, thing))
    lines = cloud.refusals()
    intruder = PahoDevice(thing, wrong)
    wait_until(lambda: cloud.refusals() > lines, "the refusal in the broker's log")
    assert not intruder.connected.is_set()
    intruder.close()
    assert ask(cloud, wrong, thing) in {0, 403}
    assert ask(cloud, right, thing) == 404


def test_a_certificate_that_is_in_no_registry_may_do_nothing(cloud: RunningCloud, thing: str) -> None:
    """Signed with our key but issued to nobody: it has no rights at the broker and none over HTTPS."""
    forged = keep(cloud, thing, signed(ours(cloud), f"{thing}-ghost"))
    ghost = PahoDevice(f"{thing}-ghost", forged)
    cloud.await_log("broker", f"as {thing}-ghost (")
    if ghost.connected.wait(1):
        assert not ghost.subscribe(f"{ghost.prefix}/#")
        ghost.client.publish(f"{ghost.prefix}/update", '{"state": {}}', qos=1)
        wait_until(lambda: ghost.disconnects > 0, "the end of the session")
    ghost.close()
    assert ask(cloud, forged, f"{thing}-ghost") == 403
