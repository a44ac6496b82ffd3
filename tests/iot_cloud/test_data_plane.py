"""The HTTPS data plane: boto3 unmodified, with the operator's signature and with a device's certificate."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
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
