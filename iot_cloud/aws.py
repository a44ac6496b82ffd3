"""The same commands on AWS IoT Core, through boto3; `--dry-run` prints the calls and makes none.

The certificate is ours, registered without its authority, so that the gateway knows the device in both modes.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from iot_cloud.authority import Authority
from iot_cloud.enrolment import Enrolment, NoRights
from iot_cloud.errors import CloudError, ConflictError, UnknownThingError
from iot_cloud.home import CloudHome
from iot_cloud.names import check_thing
from iot_cloud.policy import Role, aws_policy
from iot_cloud.registry import Registry
from iot_cloud.settings import Settings

Say: TypeAlias = Callable[[str], None]
ROLE_ATTRIBUTE = "role"
DETACH_TIMEOUT_S = 60.0
DETACH_POLL_S = 1.0


class AlreadyThereError(ConflictError):
    """AWS has it already, under this ARN."""

    def __init__(self, message: str, arn: str) -> None:
        super().__init__(message)
        self.arn = arn


class Account:
    """An AWS account's IoT control plane; in a dry run calls are told and answered with placeholders."""

    def __init__(self, settings: Settings, say: Say, *, dry_run: bool) -> None:
        self.dry_run = dry_run
        self.region = settings.region
        self._say = say
        self._client: Any = None if dry_run else boto3.client("iot", region_name=settings.region)

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Make one call, or tell it; CloudError in AWS's words if it fails."""
        if self.dry_run:
            self._say(f"iot {operation} {json.dumps(arguments)}")
            return {}
        try:
            answer: dict[str, Any] = self._patiently(operation, arguments)
        except self._client.exceptions.ResourceNotFoundException as error:
            raise UnknownThingError(f"AWS: {error}") from error
        except self._client.exceptions.ResourceAlreadyExistsException as error:
            raise AlreadyThereError(f"AWS: {error}", error.response.get("resourceArn", "")) from error
        except (ClientError, BotoCoreError) as error:
            raise CloudError(f"AWS: {error}") from error
        return answer

    def _patiently(self, operation: str, arguments: dict[str, Any]) -> Any:
        # AWS detaches in the background: for some seconds what was detached cannot be deleted.
        deadline = time.monotonic() + DETACH_TIMEOUT_S
        while True:
            try:
                return getattr(self._client, operation)(**arguments)
            except self._client.exceptions.DeleteConflictException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(DETACH_POLL_S)

    def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            self._client.close()

    def arn(self) -> str:
        """What ARNs of this account begin with."""
        if self.dry_run:
            return f"arn:aws:iot:{self.region}:ACCOUNT"
        with contextlib.closing(boto3.client("sts", region_name=self.region)) as client:
            try:
                identity = client.get_caller_identity()
            except (ClientError, BotoCoreError) as error:
                raise CloudError(f"AWS: {error}") from error
        return f"arn:aws:iot:{self.region}:{identity['Account']}"


def provision(
    home: CloudHome, settings: Settings, request: dict[str, Any], *, dry_run: bool, say: Say
) -> dict[str, Any]:
    """A certificate from our authority, registered with AWS, with a thing and a policy; may be repeated."""
    home.create()
    registry = Registry(home.registry)
    enrolment = Enrolment(home, settings, registry, Authority(home, registry), NoRights())
    answer, _ = enrolment.provision(request["thing"], request["csr"], request["role"])
    _register(Account(settings, say, dry_run=dry_run), answer)
    registry.close()
    return answer


def revoke(settings: Settings, thing: str, *, dry_run: bool, say: Say) -> None:
    """Certificates revoked and detached, policy and thing deleted. AWS ends open sessions itself."""
    account = Account(settings, say, dry_run=dry_run)
    name = check_thing(thing)
    principals = account.call("list_thing_principals", thingName=name).get("principals", ["CERTIFICATE"])
    for principal in principals:
        certificate = principal.rpartition("/")[2]
        account.call("update_certificate", certificateId=certificate, newStatus="REVOKED")
        account.call("detach_policy", policyName=_policy_name(name), target=principal)
        account.call("detach_thing_principal", thingName=name, principal=principal)
        account.call("delete_certificate", certificateId=certificate, forceDelete=True)
    account.call("delete_policy", policyName=_policy_name(name))
    account.call("delete_thing", thingName=name)
    say(f"{name}: nothing was done, these are the calls" if dry_run else f"{name}: revoked on AWS")


def list_things(settings: Settings, *, dry_run: bool, say: Say) -> list[dict[str, Any]]:
    """The account's things, with the role each was given."""
    account = Account(settings, say, dry_run=dry_run)
    found: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = account.call("list_things", **more)
        found += [
            {"thing": thing["thingName"], "role": thing.get("attributes", {}).get(ROLE_ATTRIBUTE, "")}
            for thing in page.get("things", [])
        ]
        if not page.get("nextToken"):
            return found
        more = {"nextToken": page["nextToken"]}


def policy(settings: Settings, thing: str, *, dry_run: bool, say: Say) -> Any:
    """The policy that AWS holds for a thing."""
    account = Account(settings, say, dry_run=dry_run)
    answer = account.call("get_policy", policyName=_policy_name(check_thing(thing)))
    return json.loads(answer.get("policyDocument", "{}"))


def status(settings: Settings) -> dict[str, Any]:
    """Whose account answers, and where its devices connect."""
    account = Account(settings, print, dry_run=False)
    endpoint = account.call("describe_endpoint", endpointType="iot:Data-ATS")["endpointAddress"]
    facts = {"arn": account.arn(), "host": endpoint, "mqtt_port": 8883, "http": f"https://{endpoint}"}
    account.close()
    return facts


def data_client(settings: Settings) -> Any:
    """boto3's shadow client at the account's own endpoint."""
    # boto3's own variables name another endpoint, for example a test server.
    if any(os.environ.get(name) for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IOT_DATA_PLANE")):
        return boto3.client("iot-data", region_name=settings.region)
    account = Account(settings, print, dry_run=False)
    endpoint = account.call("describe_endpoint", endpointType="iot:Data-ATS")["endpointAddress"]
    return boto3.client("iot-data", region_name=settings.region, endpoint_url=f"https://{endpoint}")


def _register(account: Account, answer: dict[str, Any]) -> None:
    name, role = answer["thing"], Role(answer["role"])
    account.call("create_thing", thingName=name, attributePayload={"attributes": {ROLE_ATTRIBUTE: role}})
    document = json.dumps(aws_policy(role, name, account.arn()))
    _ensure_policy(account, _policy_name(name), document)
    certificate = _certificate_arn(account, answer)
    account.call("attach_policy", policyName=_policy_name(name), target=certificate)
    account.call("attach_thing_principal", thingName=name, principal=certificate)


def _certificate_arn(account: Account, answer: dict[str, Any]) -> str:
    """The certificate's ARN, whether it was registered before or is now."""
    body = {"certificatePem": answer["certificate"], "status": "ACTIVE"}
    try:
        registered = account.call("register_certificate_without_ca", **body)
    except AlreadyThereError as known:
        return known.arn
    return str(registered.get("certificateArn", "CERTIFICATE"))


def _ensure_policy(account: Account, name: str, document: str) -> None:
    try:
        if not account.dry_run:
            account.call("get_policy", policyName=name)
            return
    except UnknownThingError:
        pass
    account.call("create_policy", policyName=name, policyDocument=document)


def _policy_name(thing: str) -> str:
    return f"lading-{thing}"
