"""`--aws`: the same commands against an AWS account: moto's server, and a real one where credentials are given."""

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from iot_cloud import certificates
from tests.iot_cloud.running import Said, run_here

REGION = "eu-central-1"
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE")
Account = dict[str, str]


def environment(folder: Path, **more: str) -> Account:
    """The environment of someone with an AWS account and no local cloud."""
    return os.environ | {"LADING_HOME": str(folder), "LADING_CONFIG": str(folder / "lading.toml")} | more


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Moto's account."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield environment(
        tmp_path_factory.mktemp("aws"),
        AWS_ENDPOINT_URL=f"http://{host}:{port}",
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_DEFAULT_REGION=REGION,
    )
    server.stop()


@pytest.fixture(params=["moto", "a real account"])
def account(request: pytest.FixtureRequest, twin: Account, tmp_path: Path) -> Account:
    """Moto's, then the one whose credentials are in the environment."""
    if request.param == "moto":
        return twin
    if not any(os.environ.get(name) for name in CREDENTIALS):
        pytest.skip(f"no AWS credentials in the environment ({', '.join(CREDENTIALS)}): not run against AWS itself")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or REGION
    return environment(tmp_path, LADING_CLOUD_REGION=region)


def of(said: Said) -> Any:
    """The JSON that a command printed."""
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


@pytest.mark.slow
def test_a_things_life_on_aws(account: Account, tmp_path: Path) -> None:
    """Provision (twice: the same), list, policy, shadow, revoke: by the same commands as on the own cloud."""
    thing = f"lading-test-{uuid.uuid4().hex[:12]}"
    csr = tmp_path / "thing.csr"
    csr.write_text(certificates.request(thing, certificates.new_key()))
    provision = ("provision", thing, "--csr", str(csr), "--out", str(tmp_path), "--aws")
    first = run_here(account, *provision)
    assert first.returncode == 0, first.stderr
    try:
        assert run_here(account, *provision) == first
        assert {"thing": thing, "role": "device"} in of(run_here(account, "list", "--aws", "--json"))["things"]
        policy = of(run_here(account, "policy", thing, "--aws"))
        assert any(f"topic/$aws/things/{thing}/shadow/update" in str(each) for each in policy["Statement"])
        update = ("shadow", "update", thing, '{"state": {"desired": {"light": true}}}', "--aws")
        assert of(run_here(account, *update))["version"] == 1
        assert of(run_here(account, "shadow", "get", thing, "--aws"))["state"]["delta"] == {"light": True}
        assert "version" in of(run_here(account, "shadow", "delete", thing, "--aws"))
    finally:
        revoked = run_here(account, "revoke", thing, "--aws")
    assert revoked.returncode == 0, revoked.stderr
    listed = of(run_here(account, "list", "--aws", "--json"))["things"]
    assert thing not in [each["thing"] for each in listed]
    gone = run_here(account, "revoke", thing, "--aws")
    assert (gone.returncode, gone.stdout) == (1, "")


def test_nothing_is_left_on_aws(twin: Account, tmp_path: Path) -> None:
    """After a revocation the account holds neither thing nor certificate nor policy."""
    out = ("--demo-key", "--out", str(tmp_path))
    assert run_here(twin, "provision", "gate-3", *out, "--aws").returncode == 0
    assert run_here(twin, "revoke", "gate-3", "--aws").returncode == 0
    client = boto3.client(
        "iot",
        endpoint_url=twin["AWS_ENDPOINT_URL"],
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    assert client.list_things()["things"] == []
    assert client.list_certificates()["certificates"] == []
    assert client.list_policies()["policies"] == []
    client.close()


def test_status_says_where_devices_connect(twin: Account) -> None:
    """The account's own endpoint; up and down have nothing to do there."""
    status = of(run_here(twin, "status", "--aws", "--json"))
    assert status["mqtt_port"] == 8883
    assert status["http"] == f"https://{status['host']}"
    assert run_here(twin, "up", "--aws").returncode == 2


def test_a_dry_run_prints_the_calls_and_makes_none(twin: Account, tmp_path: Path) -> None:
    """Every call in order, by boto3's names."""
    done = run_here(twin, "provision", "gate-2", "--demo-key", "--out", str(tmp_path), "--aws", "--dry-run")
    calls = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("iot ")]
    assert calls == [
        "create_thing",
        "create_policy",
        "register_certificate_without_ca",
        "attach_policy",
        "attach_thing_principal",
    ]
    update = of(run_here(twin, "shadow", "update", "gate-2", '{"state": {}}', "--aws", "--dry-run"))
    assert update["iot-data"] == "update_thing_shadow"
    watch = of(run_here(twin, "watch", "gate-2", "--aws", "--dry-run"))
    assert watch["iot-data"] == "get_thing_shadow"
    listed = of(run_here(twin, "list", "--aws", "--json"))["things"]
    assert "gate-2" not in [each["thing"] for each in listed]


@pytest.mark.parametrize("command", [("list",), ("status",), ("shadow", "get", "gate-1")])
def test_no_credentials_is_said(twin: Account, command: tuple[str, ...]) -> None:
    """Without credentials the command says so and ends with 1."""
    bare = {key: value for key, value in twin.items() if not key.startswith("AWS_") or key == "AWS_ENDPOINT_URL"}
    bare |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": twin["LADING_HOME"]}
    done = run_here(bare, *command, "--aws")
    assert done.returncode == 1
    assert "credentials" in done.stderr
