"""Renewal with overlap, rotation with both authorities valid, a revocation list that never runs out."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from iot_cloud import certificates
from iot_cloud.authority import Authority
from iot_cloud.enrolment import DAY_S, Enrolment, NoRights
from iot_cloud.errors import CertificateRequestError, ConflictError, ThingNameError, UnknownThingError
from iot_cloud.home import CloudHome
from iot_cloud.registry import Registry
from iot_cloud.settings import Settings
from tests.iot_cloud.devices import PahoDevice
from tests.iot_cloud.running import RunningCloud, wait_until


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = datetime.now(UTC).timestamp()

    def __call__(self) -> float:
        """Unix seconds."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """Now, until turned."""
    return Clock()


@pytest.fixture
def enrolment(tmp_path: Path, clock: Clock) -> Iterator[Enrolment]:
    """An enrolment without a broker."""
    home = CloudHome(tmp_path / "cloud")
    home.create()
    registry = Registry(home.registry)
    authority = Authority(home, registry, clock)
    authority.write_crl(30)
    yield Enrolment(home, Settings(), registry, authority, NoRights(), now=clock)
    registry.close()


def request(name: str = "gate-1") -> str:
    """A request with a key of its own."""
    return certificates.request(name, certificates.new_key())


def test_the_same_request_gets_the_same_answer(enrolment: Enrolment) -> None:
    """An interrupted provisioning can go on: one key, one certificate."""
    csr = request()
    first, new = enrolment.provision("gate-1", csr)
    again, newer = enrolment.provision("gate-1", csr)
    assert (first, new, newer) == (again, True, False)


@pytest.mark.row("N1")
def test_what_is_recorded_is_what_was_signed(enrolment: Enrolment) -> None:
    """Serial, fingerprint, key digest and expiry are the certificate's; its subject is the thing, not the CSR's."""
    answer, _ = enrolment.provision("gate-1", request("someone else"))
    certificate = x509.load_pem_x509_certificate(answer["certificate"].encode())
    assert int(answer["serial"], 16) == certificate.serial_number
    assert answer["fingerprint"] == certificates.fingerprint(certificate)
    assert answer["public_key_sha256"] == certificates.public_key_sha256(certificate)
    assert answer["not_after"] == certificate.not_valid_after_utc.timestamp()
    assert certificate.subject.rfc4514_string() == "OU=device,CN=gate-1"


@pytest.mark.parametrize(
    ("thing", "csr", "role", "error"),
    [
        ("gate 1", request(), "device", ThingNameError),
        ("", request(), "device", ThingNameError),
        ("lading.service", request(), "device", ThingNameError),
        (None, request(), "device", ThingNameError),
        ("x" * 129, request(), "device", ThingNameError),
        ("gate-1", "x", "device", CertificateRequestError),
        ("gate-1", None, "device", CertificateRequestError),
        ("gate-1", request()[:-60], "device", CertificateRequestError),
        ("gate-1", request(), "admin", ConflictError),
        ("gate-1", request(), None, ConflictError),
    ],
)
def test_bad_requests_are_refused(
    enrolment: Enrolment, thing: object, csr: object, role: object, error: type[Exception]
) -> None:
    """Names, requests and roles are checked, and nothing is recorded."""
    with pytest.raises(error):
        enrolment.provision(thing, csr, role)
    assert enrolment.things() == []


def test_another_key_or_another_thing_conflicts(enrolment: Enrolment) -> None:
    """A thing with a certificate does not get one for another key unasked; a key belongs to one thing."""
    csr = request()
    enrolment.provision("gate-1", csr)
    with pytest.raises(ConflictError, match="another key"):
        enrolment.provision("gate-1", request())
    with pytest.raises(ConflictError, match="used before by gate-1"):
        enrolment.provision("gate-2", csr)
    with pytest.raises(UnknownThingError):
        enrolment.revoke("gate-3")
    with pytest.raises(UnknownThingError):
        enrolment.renew("gate-3", request())


def test_renewal_overlaps_and_then_ends_the_old(enrolment: Enrolment, clock: Clock) -> None:
    """Both certificates are good for the days of overlap; then the old one is revoked without anybody's doing."""
    old, _ = enrolment.provision("gate-1", request())
    new, _ = enrolment.renew("gate-1", request())
    assert {each["serial"] for each in enrolment.things()} == {old["serial"], new["serial"]}
    clock.seconds += 6 * DAY_S
    enrolment.housekeeping()
    assert len(enrolment.things()) == 2
    clock.seconds += 2 * DAY_S
    enrolment.housekeeping()
    assert [each["serial"] for each in enrolment.things()] == [new["serial"]]
    crl = x509.load_pem_x509_crl(enrolment.home.crl.read_bytes())
    assert crl.get_revoked_certificate_by_serial_number(int(old["serial"], 16)) is not None


def test_the_same_key_is_renewed_only_near_expiry(enrolment: Enrolment, clock: Clock) -> None:
    """A repeated renewal answers the same; within 30 days of expiry it gives a new certificate."""
    csr = request()
    first, _ = enrolment.provision("gate-1", csr)
    assert enrolment.renew("gate-1", csr)[0]["serial"] == first["serial"]
    clock.seconds += 370 * DAY_S
    assert enrolment.renew("gate-1", csr)[0]["not_after"] > first["not_after"]


def test_the_list_is_renewed_at_half_its_days_and_when_it_is_not_ours(enrolment: Enrolment, clock: Clock) -> None:
    """An expired list would lock everybody out, a garbage one would let everybody in."""
    before = enrolment.home.crl.read_bytes()
    clock.seconds += 10 * DAY_S
    assert not enrolment.guard_list()
    clock.seconds += 6 * DAY_S
    assert enrolment.guard_list()
    renewed = enrolment.home.crl.read_bytes()
    assert renewed != before
    for other in (b"garbage", b"", before):
        enrolment.home.crl.write_bytes(other)
        assert enrolment.guard_list()
        assert x509.load_pem_x509_crl(enrolment.home.crl.read_bytes()).is_signature_valid(
            enrolment.authority.issuer.key.public_key()
        )
    enrolment.home.crl.unlink()
    assert enrolment.guard_list()
    assert not enrolment.guard_list()


def test_secrets_are_readable_by_their_owner_only(enrolment: Enrolment) -> None:
    """Keys are 0600, folders 0700."""
    assert (enrolment.home.ca / "ca.key").stat().st_mode & 0o777 == 0o600
    assert enrolment.home.ca.stat().st_mode & 0o777 == 0o700


WEAK = [lambda: rsa.generate_private_key(65537, 1024), ed25519.Ed25519PrivateKey.generate]  # noqa: S505


@pytest.mark.parametrize("make", WEAK, ids=["RSA of 1024 bits", "Ed25519"])
def test_weak_and_unusual_keys_get_no_certificate(enrolment: Enrolment, make: Callable[[], Any]) -> None:
    """Only P-256, P-384 and RSA of 2048 to 4096 bits are taken."""
    key = make()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gate-1")])
    csr = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(name)
        .sign(key, hashes.SHA256() if isinstance(key, rsa.RSAPrivateKey) else None)
    )
    with pytest.raises(CertificateRequestError, match="P-256"):
        enrolment.provision("gate-1", csr.public_bytes(serialization.Encoding.PEM).decode())


def test_a_renewed_certificate_and_its_predecessor_both_connect(cloud: RunningCloud, thing: str) -> None:
    """While they overlap the device may use either."""
    old = cloud.provision(thing)
    key = certificates.new_key()
    answer = cloud.api("POST", f"/things/{thing}/certificates", {"csr": certificates.request(thing, key)})
    kept = cloud.keep(f"{thing}-renewed", certificates.key_pem(key), answer)
    for endpoint in (old, kept):
        device = PahoDevice(thing, endpoint).online()
        assert device.subscribe(f"{device.prefix}/#")
        device.update({"reported": {"here": True}}, clientToken="here")
        device.expect("/update/accepted", clientToken="here")
        device.close()


@pytest.mark.slow
def test_rotation_keeps_both_authorities_valid(cloud: RunningCloud, thing: str) -> None:
    """Old and new certificates connect, with the old bundle and with the new, and both can be revoked."""
    old_bundle = cloud.folder / "old-ca.pem"
    old_bundle.write_bytes(cloud.home.ca_certificates.read_bytes())
    old_name, new_name = f"{thing}-old", f"{thing}-new"
    old = replace(cloud.provision(old_name), ca=old_bundle)
    cloud.api("POST", "/authority")
    assert cloud.home.ca_certificates.read_text().count("BEGIN CERTIFICATE") == 2
    new = cloud.provision(new_name)
    devices = [PahoDevice(old_name, old).online(), PahoDevice(new_name, new).online()]
    for device in devices:
        assert device.subscribe(f"{device.prefix}/#")
        cloud.api("DELETE", f"/things/{device.name}")
        wait_until(lambda device=device: not device.connected.is_set(), "the end of the session")
        device.close()
