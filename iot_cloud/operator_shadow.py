"""Shadows as the operator sees them: boto3's own `iot-data` client against our data plane or AWS's."""

import argparse
import contextlib
import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from iot_cloud.errors import CloudError
from iot_cloud.home import CloudHome
from iot_cloud.operator_key import operator_key
from iot_cloud.settings import Settings

RETRIES = Config(retries={"total_max_attempts": 2}, connect_timeout=10, read_timeout=20)


def local_client(home: CloudHome, settings: Settings) -> Any:
    """A client of the running cloud's data plane."""
    ready = home.read_ready()  # before the key, which would be made anew
    key = operator_key(home)
    return boto3.client(
        "iot-data",
        endpoint_url=ready["http"],
        region_name=settings.region,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        verify=str(home.ca_certificates),
        config=RETRIES,
    )


def ask(home: CloudHome, settings: Settings, thing: str, *, document: str | None, options: argparse.Namespace) -> Any:
    """Carry out `options.action` on a shadow and return the answer; CloudError with the service's words."""
    arguments: dict[str, Any] = {"thingName": thing} | ({"shadowName": options.name} if options.name else {})
    if document is not None:
        arguments["payload"] = document.encode()
    operation = f"{options.action}_thing_shadow"
    if options.dry_run:
        return {"iot-data": operation, "arguments": arguments | ({"payload": document} if document else {})}
    with contextlib.closing(_client(home, settings, aws=options.aws)) as client:
        try:
            return json.loads(getattr(client, operation)(**arguments)["payload"].read())
        except (ClientError, BotoCoreError) as error:
            raise CloudError(str(error)) from error


def _client(home: CloudHome, settings: Settings, *, aws: bool) -> Any:
    if not aws:
        return local_client(home, settings)
    from iot_cloud.aws import data_client

    return data_client(settings)
