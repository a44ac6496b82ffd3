"""The gateway's server certificate, from a real cloud beside it."""

import io
import os
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from proxy.__main__ import main
from tests.iot_cloud.running import RunningCloud


def certificate(home: Path, *arguments: str, host: str = "127.0.0.1") -> tuple[int, str]:
    """How `lading-gateway certificate` ends, and what it says."""
    said = io.StringIO()
    settings = {"LADING_HOME": str(home), "LADING_GATEWAY_HOST": host}
    with mock.patch.dict(os.environ, settings), redirect_stdout(said), redirect_stderr(said):
        return main(["certificate", *arguments]), said.getvalue()


@pytest.fixture
def cloud() -> Iterator[RunningCloud]:
    """A cloud of its own."""
    running = RunningCloud.start()
    yield running
    running.stop()


def names(home: Path) -> set[str]:
    """Whom the certificate names."""
    found = x509.load_pem_x509_certificate((home / "gateway" / "server.pem").read_bytes())
    alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(address) for address in alternative.get_values_for_type(x509.IPAddress)}
    return addresses | set(alternative.get_values_for_type(x509.DNSName))


def test_certificate_is_made_and_renewed_with_the_same_key(cloud: RunningCloud) -> None:
    """For every name asked for; the key is private; a renewal changes the certificate alone."""
    status, said = certificate(cloud.folder, "--host", "gateway.example")
    assert (status, names(cloud.folder)) == (0, {"127.0.0.1", "gateway.example"}), said
    key, leaf = cloud.folder / "gateway" / "server.key", cloud.folder / "gateway" / "server.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    first = key.read_bytes(), leaf.read_bytes()
    assert certificate(cloud.folder)[0] == 0
    assert (key.read_bytes(), names(cloud.folder)) == (first[0], {"127.0.0.1"})
    assert leaf.read_bytes() != first[1]
    weak = ec.generate_private_key(ec.SECP224R1())
    key.write_bytes(weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    status, said = certificate(cloud.folder)
    assert (status, "the cloud does not sign: the key must be" in said) == (1, True)


def test_request_is_written_for_a_cloud_elsewhere(tmp_path: Path) -> None:
    """With the words that say what to do with it."""
    status, said = certificate(tmp_path, "--request", str(tmp_path / "gateway.csr"))
    assert (status, "lading-cloud server-certificate gateway --csr gateway.csr" in said) == (0, True)
    assert x509.load_pem_x509_csr((tmp_path / "gateway.csr").read_bytes()).is_signature_valid


def test_what_cannot_be_signed_is_said(tmp_path: Path) -> None:
    """No cloud, no name that anyone could call, a key that is none."""
    assert "start the cloud with lading-cloud up" in certificate(tmp_path)[1]
    assert "say with --host" in certificate(tmp_path, host="::")[1]
    (tmp_path / "gateway" / "server.key").write_text("no key")
    status, said = certificate(tmp_path)
    assert (status, "is not a private key" in said) == (1, True)
