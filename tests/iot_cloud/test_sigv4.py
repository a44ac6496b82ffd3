"""AWS's signature: what is good passes, what was bent does not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from iot_cloud.sigv4 import SignatureError, SignedRequest, verify

KEY, SECRET, REGION = "LADINGKEY", "s3cret", "eu-central-1"


def signed(
    path: str = "/things/gate-1/shadow", *, region: str = REGION, service: str = "iotdata", secret: str = SECRET
) -> SignedRequest:
    """A request signed by botocore."""
    request = AWSRequest("POST", f"https://localhost:8444{path}", headers={"host": "localhost:8444"}, data=b"{}")
    SigV4Auth(Credentials(KEY, secret), service, region).add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return SignedRequest("POST", path, headers, b"{}")


def with_header(name: str, value: str) -> SignedRequest:
    """A signed request with one header changed afterwards."""
    request = signed()
    return replace(request, headers={**request.headers, name: value})


def check(request: SignedRequest, skew: timedelta = timedelta()) -> None:
    """Verify with the right key, on a clock that is off by `skew`."""
    verify(request, KEY, SECRET, REGION, datetime.now(UTC) + skew)


@pytest.mark.parametrize("path", ["/things/gate-1/shadow", "/things/a%3Ab/shadow?name=operator", "/things/a:b/shadow"])
def test_a_good_signature_passes(path: str) -> None:
    """Also with a query and with escapes in the path."""
    check(signed(path))


BENT: list[tuple[Callable[[], SignedRequest], str]] = [
    (lambda: signed(secret="other"), "InvalidSignatureException"),
    (lambda: signed(region="us-east-1"), "InvalidSignatureException"),
    (lambda: signed(service="iot"), "InvalidSignatureException"),
    (lambda: signed("/things/gate-1/../gate-2/shadow"), "InvalidSignatureException"),
    (lambda: signed("/things/gate-1/%2e%2e/gate-2/shadow"), "InvalidSignatureException"),
    (lambda: signed("/things//gate-1/shadow"), "InvalidSignatureException"),
    (lambda: replace(signed(), body=b"{ }"), "InvalidSignatureException"),
    (lambda: replace(signed(), method="DELETE"), "InvalidSignatureException"),
    (lambda: replace(signed(), path="/things/gate-2/shadow"), "InvalidSignatureException"),
    (lambda: replace(signed(), headers={"authorization": "Basic x"}), "IncompleteSignatureException"),
    (lambda: with_header("x-amz-date", "today"), "IncompleteSignatureException"),
    (lambda: with_header("host", "other"), "InvalidSignatureException"),
]


@pytest.mark.parametrize(("bend", "aws_type"), BENT, ids=map(str, range(len(BENT))))
def test_a_bent_request_is_refused(bend: Callable[[], SignedRequest], aws_type: str) -> None:
    """Key, region, service, path, body, method, headers: each is covered."""
    with pytest.raises(SignatureError) as refused:
        check(bend())
    assert refused.value.aws_type == aws_type


@pytest.mark.parametrize("skew", [timedelta(minutes=6), timedelta(minutes=-6), timedelta(days=1)])
def test_a_skewed_clock_is_refused(skew: timedelta) -> None:
    """More than five minutes either way."""
    with pytest.raises(SignatureError, match="Signature expired"):
        check(signed(), skew)


def test_another_key_is_refused() -> None:
    """An unknown access key has its own answer."""
    with pytest.raises(SignatureError) as refused:
        verify(signed(), "OTHER", SECRET, REGION, datetime.now(UTC))
    assert refused.value.aws_type == "UnrecognizedClientException"
