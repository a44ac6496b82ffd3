"""AWS's request signature, version 4, checked by signing the same request again with botocore.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote

SERVICE = "iotdata"
MAX_SKEW_S = 300
_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[\w-]+)/(?P<date>\d{8})/(?P<region>[\w-]+)/(?P<service>[\w-]+)/aws4_request,"
    r"\s*SignedHeaders=(?P<headers>[\w;-]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


class SignatureError(Exception):
    """The signature is not good, in AWS's words."""

    def __init__(self, aws_type: str, message: str) -> None:
        super().__init__(message)
        self.aws_type = aws_type


@dataclass(frozen=True)
class SignedRequest:
    """A request as it came: header names in lower case, the path with its query, undecoded."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def verify(request: SignedRequest, access_key: str, secret: str, region: str, now: datetime) -> None:
    """Return if the request was signed with this key, here and now; SignatureError otherwise."""
    found = _HEADER.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise SignatureError("IncompleteSignatureException", "The Authorization header is not a SigV4 signature")
    if not hmac.compare_digest(found["key"], access_key):
        raise SignatureError("UnrecognizedClientException", "The security token included in the request is invalid.")
    _check_scope(found, region)
    _check_path(request.path)
    stamp = _check_time(request.headers.get("x-amz-date", ""), found["date"], now)
    signed = found["headers"].split(";")
    if "host" not in signed or "x-amz-date" not in signed:
        raise SignatureError("IncompleteSignatureException", "host and x-amz-date must be signed")
    expected = _signature(request, signed, stamp, (access_key, secret), region)
    if not hmac.compare_digest(expected, found["signature"]):
        raise SignatureError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
        )


def _check_scope(found: re.Match[str], region: str) -> None:
    if found["region"] != region:
        message = f"Credential should be scoped to a valid region, not '{found['region']}'."
        raise SignatureError("InvalidSignatureException", message)
    if found["service"] != SERVICE:
        message = f"Credential should be scoped to correct service: '{SERVICE}'."
        raise SignatureError("InvalidSignatureException", message)


def _check_path(path: str) -> None:
    # The signature covers a normalised path: without this check `..` would lead elsewhere under a good signature.
    parts = unquote(path.partition("?")[0]).split("/")
    if any(part in {"", ".", ".."} for part in parts[1:]):
        raise SignatureError("InvalidSignatureException", "The path is not in its normal form")


def _check_time(stamp: str, date: str, now: datetime) -> str:
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise SignatureError("IncompleteSignatureException", "x-amz-date is missing or malformed") from None
    if abs((now - signed_at).total_seconds()) > MAX_SKEW_S or not stamp.startswith(date):
        message = f"Signature expired: {stamp} is more than 5 minutes from {now:%Y%m%dT%H%M%SZ}"
        raise SignatureError("InvalidSignatureException", message)
    return stamp


def _signature(request: SignedRequest, signed: list[str], stamp: str, credentials: tuple[str, str], region: str) -> str:
    # Imported with the first signature: it takes longer than all else that the service needs to start.
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    headers = {name: request.headers.get(name, "") for name in signed}
    url = f"https://{request.headers.get('host', '')}{request.path}"
    again = AWSRequest(method=request.method, url=url, headers=headers, data=request.body)
    again.context["timestamp"] = stamp
    auth = SigV4Auth(Credentials(*credentials), SERVICE, region)
    text = auth.string_to_sign(again, auth.canonical_request(again))
    return str(auth.signature(text, again))
