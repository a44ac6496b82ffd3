"""Identities: certificates that are not what they seem, and passwords."""

import base64
from collections.abc import Iterator

from tests.proxy.attack_groups.case import Case, asked, post

GOOD = asked("eth_chainId", [])
CERTIFICATES = {
    "expired": "certificate refused: FAILED:certificate has expired",
    "not-yet-valid": "certificate refused: FAILED:certificate is not yet valid",
    "revoked": "certificate refused: FAILED:certificate revoked",
    "self-signed": "certificate refused: FAILED:unable to get certificate CRL",
    "foreign-ca": "certificate refused: FAILED:unable to verify the first certificate",
    "foreign-ca-same-name": "certificate refused: FAILED:certificate signature failure",
}
NOT_ADMITTED = [
    "same-name",
    "two-names",
    "name-with-comma",
    "name-with-slash",
    "name-with-serial",
    "wildcard",
    "empty-name",
    "long-name",
]

HEADERS = {
    "wrong-secret": "Basic " + base64.b64encode(b"pi:wrong").decode(),
    "empty-secret": "Basic " + base64.b64encode(b"pi:").decode(),
    "no-colon": "Basic " + base64.b64encode(b"pi").decode(),
    "device-name": "Basic " + base64.b64encode(b"gate-1:gate-1").decode(),
    "nul": "Basic " + base64.b64encode(b"pi\x00:x").decode(),
    "not-base64": "Basic !!!!",
    "empty-basic": "Basic ",
    "bearer": "Bearer eyJhbGciOiJub25lIn0.e30.",
    "digest": 'Digest username="pi"',
    "negotiate": "Negotiate YII=",
    "empty": "",
    "long": "Basic " + "A" * 3000,
    "map-word": "default",
    "map-regex": "~.*",
}


def cases() -> Iterator[Case]:
    """All of this group."""
    yield Case("credentials", "none", "devices", post(GOOD), "credentials", identity="none")
    for name, words in CERTIFICATES.items():
        yield Case("certificates", name, "devices", post(GOOD), "certificate", words, identity=name)
    for name in NOT_ADMITTED:
        yield Case("certificates", name, "devices", post(GOOD), "not_admitted", identity=name)
    for name, value in HEADERS.items():
        request = post(GOOD, f"Authorization: {value}")
        yield Case("credentials", name, "devices", request, "credentials", identity="none")
