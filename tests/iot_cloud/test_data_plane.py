"""The HTTPS data plane: boto3 unmodified, with the operator's signature and with a device's certificate."""

import http.client
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from urllib.parse import unquote

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from iot_cloud.connection import Endpoint
from iot_cloud.operator_key import operator_key
from tests.iot_cloud.running import RunningCloud

REGION = "eu-central-1"


def boto_client(cloud: RunningCloud, certificate: Endpoint | None = None, **changes: Any) -> Any:
    """boto3's `iot-data` client, signing as the operator unless a certificate speaks for a device."""
    key = operator_key(cloud.home)
    files = (str(certificate.certificate), str(certificate.key)) if certificate else None
    arguments = {
        "endpoint_url": cloud.ready["http"],
        "region_name": REGION,
        "aws_access_key_id": key.access_key_id,
        "aws_secret_access_key": key.secret_access_key,
        "verify": cloud.ready["ca"],
        "config": Config(client_cert=files, retries={"total_max_attempts": 1}),
    }
    return boto3.client("iot-data", **(arguments | changes))


def payload(answer: dict[str, Any]) -> Any:
    """The document in an answer."""
    return json.loads(answer["payload"].read())


@pytest.fixture
def operator(cloud: RunningCloud) -> Iterator[Any]:
    """The operator's client."""
    client = boto_client(cloud)
    yield client
    client.close()


@pytest.mark.row("M8")
def test_operator_updates_gets_lists_and_deletes(operator: Any, thing: str) -> None:
    """boto3's four shadow operations work on the classic and on named shadows."""
    document = json.dumps({"state": {"desired": {"light": True}}})
    assert payload(operator.update_thing_shadow(thingName=thing, payload=document))["version"] == 1
    operator.update_thing_shadow(thingName=thing, shadowName="operator", payload=document)
    assert payload(operator.get_thing_shadow(thingName=thing))["state"]["delta"] == {"light": True}
    assert operator.list_named_shadows_for_thing(thingName=thing)["results"] == ["operator"]
    assert payload(operator.delete_thing_shadow(thingName=thing))["version"] == 1
    with pytest.raises(ClientError) as refused:
        operator.get_thing_shadow(thingName=thing)
    assert refused.value.response["Error"] == {
        "Code": "ResourceNotFoundException",
        "Message": f"No shadow exists with name: '{thing}'",
    }


@pytest.mark.row("B15")
def test_device_reaches_its_own_shadow_by_certificate(cloud: RunningCloud, thing: str) -> None:
    """A device's certificate opens its own shadow and no other's."""
    client = boto_client(cloud, cloud.provision(thing))
    document = json.dumps({"state": {"reported": {"gate": "LOCKED"}}})
    assert payload(client.update_thing_shadow(thingName=thing, payload=document))["version"] == 1
    with pytest.raises(ClientError) as refused:
        client.get_thing_shadow(thingName="another")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    client.close()


BENT = [
    ("another region", {"region_name": "us-east-1"}, "InvalidSignatureException"),
    ("another secret", {"aws_secret_access_key": "guessed"}, "InvalidSignatureException"),
    ("another key", {"aws_access_key_id": "LADINGGUESSED"}, "UnrecognizedClientException"),
]


@pytest.mark.parametrize(("changes", "code"), [case[1:] for case in BENT], ids=[case[0] for case in BENT])
def test_a_wrong_signature_is_refused_and_logged(
    cloud: RunningCloud, thing: str, changes: dict[str, Any], code: str
) -> None:
    """boto3 gets AWS's exception; the log has a line; the right signature goes on."""
    client = boto_client(cloud, **changes)
    with pytest.raises(ClientError) as refused:
        client.get_thing_shadow(thingName=thing)
    client.close()
    assert refused.value.response["Error"]["Code"] == code
    cloud.await_log("service", f"'/things/{thing}/shadow' of somebody at 127.0.0.1: 403")


@pytest.mark.parametrize("path", ["/things/a/shadow", "/things/a/../b/shadow", "/things/a/%2e%2e/b/shadow"])
def test_old_signatures_and_paths_that_lead_elsewhere_are_refused(cloud: RunningCloud, path: str) -> None:
    """A clock six minutes off, and `..` under a good signature: sent as they are, no client tidies them."""
    host = cloud.ready["http"].removeprefix("https://")
    key = operator_key(cloud.home)
    request = AWSRequest("GET", f"https://{host}{path}", headers={"host": host})
    auth = SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), "iotdata", REGION)
    now = datetime.now(UTC) - timedelta(minutes=0 if ".." in unquote(path) else 6)
    with mock.patch("botocore.auth.get_current_datetime", return_value=now):
        auth.add_auth(request)
    connection = http.client.HTTPSConnection(host, context=ssl.create_default_context(cafile=cloud.ready["ca"]))
    connection.request("GET", path, headers=dict(request.headers.items()))
    answer = connection.getresponse()
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (403, "InvalidSignatureException")
    expected = "not in its normal form" if ".." in unquote(path) else "Signature expired"
    assert expected in json.loads(answer.read())["message"]
    connection.close()
    cloud.await_log("service", f"refused GET {path!r} of somebody at 127.0.0.1: 403")
