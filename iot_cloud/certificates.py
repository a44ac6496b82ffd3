"""Certificates, requests and revocation lists, built with `cryptography`. Pure: keys and times come from outside."""

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from iot_cloud.errors import CertificateRequestError

CLOCK_SKEW = timedelta(minutes=5)
CA_YEARS = timedelta(days=3650)
CURVES = (ec.SECP256R1, ec.SECP384R1)
MAX_CSR_CHARACTERS = 16_384


@dataclass(frozen=True)
class Issuer:
    """A certificate authority: its certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Revocation:
    """A certificate that is no longer good."""

    serial: int
    at: datetime


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key in PEM, unencrypted: for a file of mode 0600."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def new_authority(common_name: str, now: datetime) -> Issuer:
    """A self-signed authority, good for ten years, that may sign only leaves."""
    key = new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    usage = _usage(key_cert_sign=True, crl_sign=True)
    certificate = (
        _builder(name, name, key.public_key(), now, now + CA_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Issuer(certificate, key)


def request(common_name: str, key: ec.EllipticCurvePrivateKey) -> str:
    """A certificate signing request in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode()


def read_request(pem: object) -> x509.CertificateSigningRequest:
    """The request in a PEM text, its signature and key strength checked; CertificateRequestError otherwise."""
    if not isinstance(pem, str) or len(pem) > MAX_CSR_CHARACTERS:
        raise CertificateRequestError("the CSR is not a PEM text")
    try:
        csr = x509.load_pem_x509_csr(pem.encode())
        if not csr.is_signature_valid:
            raise CertificateRequestError("the CSR is not signed by its own key")
    except (ValueError, TypeError, InvalidSignature) as error:
        if isinstance(error, CertificateRequestError):
            raise
        raise CertificateRequestError(f"the CSR cannot be read: {error}") from error
    _check_key(csr.public_key())
    return csr


def client_certificate(
    issuer: Issuer, csr: x509.CertificateSigningRequest, name: str, role: str, *, now: datetime, days: int
) -> x509.Certificate:
    """A client's certificate: the subject is ours to say, the request lends only its key."""
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, role)]
    )
    return _leaf(issuer, csr, subject, (ExtendedKeyUsageOID.CLIENT_AUTH, ()), now=now, days=days)


def server_certificate(
    issuer: Issuer,
    csr: x509.CertificateSigningRequest,
    name: str,
    hosts: Iterable[str],
    *,
    now: datetime,
    days: int,
) -> x509.Certificate:
    """A TLS server's certificate for host names and addresses."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return _leaf(issuer, csr, subject, (ExtendedKeyUsageOID.SERVER_AUTH, tuple(hosts)), now=now, days=days)


def revocation_list(
    issuer: Issuer, revoked: Iterable[Revocation], number: int, now: datetime, days: int
) -> x509.CertificateRevocationList:
    """The issuer's signed list of what is no longer good."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now - CLOCK_SKEW)
        .next_update(now + timedelta(days=days))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    for entry in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(entry.serial).revocation_date(entry.at).build()
        )
    return builder.sign(issuer.key, hashes.SHA256())


def pem(certificate: x509.Certificate | x509.CertificateRevocationList) -> str:
    """PEM text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def serial_text(serial: int) -> str:
    """A serial number as OpenSSL and nginx write it: upper-case hex, whole bytes."""
    return serial.to_bytes((serial.bit_length() + 7) // 8, "big").hex().upper()


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate in DER, lower-case hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def public_key_sha256(key: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """SHA-256 of the public key's SubjectPublicKeyInfo in DER, lower-case hex."""
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def utc(seconds: float) -> datetime:
    """Unix seconds as the datetime that certificates carry."""
    return datetime.fromtimestamp(int(seconds), UTC)


def _check_key(key: object) -> None:
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, CURVES):
        return
    if isinstance(key, rsa.RSAPublicKey) and 2048 <= key.key_size <= 4096:
        return
    raise CertificateRequestError("the key must be P-256, P-384 or RSA of 2048 to 4096 bits")


def _leaf(
    issuer: Issuer,
    csr: x509.CertificateSigningRequest,
    subject: x509.Name,
    purpose: tuple[x509.ObjectIdentifier, tuple[str, ...]],
    *,
    now: datetime,
    days: int,
) -> x509.Certificate:
    use, hosts = purpose
    end = min(now + timedelta(days=days), issuer.certificate.not_valid_after_utc)
    builder = (
        _builder(subject, issuer.certificate.subject, csr.public_key(), now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_host, hosts))), critical=False)
    return builder.sign(issuer.key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: object, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)  # type: ignore[arg-type]
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - CLOCK_SKEW)
        .not_valid_after(end)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
