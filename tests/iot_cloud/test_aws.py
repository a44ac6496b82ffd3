"""`--aws`: the same commands against an AWS account, here moto's server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from iot_cloud import certificates

REGION = "eu-central-1"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of someone with an AWS account and no local cloud."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    folder = tmp_path_factory.mktemp("aws")
    yield os.environ | {
        "LADING_HOME": str(folder),
        "LADING_CONFIG": str(folder / "lading.toml"),
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
    }
    server.stop()


def run(account: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `lading-cloud …` in that environment."""
    command = [sys.executable, "-m", "iot_cloud", *arguments]
    return subprocess.run(command, env=account, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.slow
def test_a_things_life_on_aws(account: dict[str, str], tmp_path: Path) -> None:
    """Provision (twice: the same), list, policy, shadow, revoke: by the same commands as on the own cloud."""
    csr = tmp_path / "gate-1.csr"
    csr.write_text(certificates.request("gate-1", certificates.new_key()))
    provision = ("provision", "gate-1", "--csr", str(csr), "--out", str(tmp_path), "--aws")
    first = run(account, *provision)
    assert first.returncode == 0, first.stderr
    again = run(account, *provision)
    assert (again.returncode, again.stdout, again.stderr) == (0, first.stdout, "")
    listed = json.loads(run(account, "list", "--aws", "--json").stdout)
    assert listed == {"things": [{"thing": "gate-1", "role": "device"}]}
    policy = json.loads(run(account, "policy", "gate-1", "--aws").stdout)
    assert any("topic/$aws/things/gate-1/shadow/update" in str(each) for each in policy["Statement"])
    update = run(account, "shadow", "update", "gate-1", '{"state": {"desired": {"light": true}}}', "--aws")
    assert json.loads(update.stdout)["version"] == 1
    assert json.loads(run(account, "shadow", "get", "gate-1", "--aws").stdout)["state"]["delta"] == {"light": True}
    assert run(account, "revoke", "gate-1", "--aws").returncode == 0
    client = boto3.client(
        "iot",
        endpoint_url=account["AWS_ENDPOINT_URL"],
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    assert client.list_things()["things"] == []
    assert client.list_certificates()["certificates"] == []
    assert client.list_policies()["policies"] == []
    client.close()
    gone = run(account, "revoke", "gate-1", "--aws")
    assert (gone.returncode, gone.stdout) == (1, "")


@pytest.mark.slow
def test_a_dry_run_prints_the_calls_and_makes_none(account: dict[str, str], tmp_path: Path) -> None:
    """Every call in order, by boto3's names."""
    done = run(account, "provision", "gate-2", "--demo-key", "--out", str(tmp_path), "--aws", "--dry-run")
    calls = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("iot ")]
    assert calls == [
        "create_thing",
        "create_policy",
        "register_certificate_without_ca",
        "attach_policy",
        "attach_thing_principal",
    ]
    listed = json.loads(run(account, "list", "--aws", "--json").stdout)["things"]
    assert "gate-2" not in [each["thing"] for each in listed]


def test_no_credentials_is_said(account: dict[str, str]) -> None:
    """Without credentials the command says so and ends with 1."""
    bare = {key: value for key, value in account.items() if not key.startswith("AWS_")}
    bare |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": account["LADING_HOME"]}
    done = run(bare, "list", "--aws")
    assert done.returncode == 1
    assert "credentials" in done.stderr
