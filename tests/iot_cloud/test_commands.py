"""`lading-cloud` as a person types it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from iot_cloud import certificates
from iot_cloud.operator_key import operator_key
from tests.iot_cloud.running import RunningCloud, run_apart, run_here, wait_until


def alone(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a run folder where no cloud serves."""
    return os.environ | {"LADING_HOME": str(folder), "LADING_CONFIG": str(folder / "lading.toml")} | more


@pytest.mark.slow
@pytest.mark.row("I11")
def test_things_and_shadows_by_command(cloud: RunningCloud, thing: str, tmp_path: Path) -> None:
    """Provision, list, policy, shadow, revoke."""
    done = cloud.command("provision", thing, "--demo-key", "--out", str(tmp_path))
    assert done.stdout.startswith(f"{thing}: serial ")
    assert (tmp_path / f"{thing}.key").stat().st_mode & 0o777 == 0o600
    listed = json.loads(cloud.command("list", "--json").stdout)["things"]
    assert [each["role"] for each in listed if each["thing"] == thing] == ["device"]
    policy = json.loads(cloud.command("policy", thing).stdout)
    assert policy["Statement"][1]["Action"] == "iot:Publish"
    update = cloud.command("shadow", "update", thing, '{"state": {"desired": {"light": true}}}', "--name", "operator")
    assert json.loads(update.stdout)["version"] == 1
    got = cloud.command("shadow", "get", thing, "--name", "operator")
    assert json.loads(got.stdout)["state"]["delta"] == {"light": True}
    assert cloud.command("revoke", thing).stdout.startswith(f"{thing}: revoked ")
    missing = cloud.command("shadow", "get", thing)
    assert missing.returncode == 1
    assert f"No shadow exists with name: '{thing}'" in missing.stderr


@pytest.mark.slow
def test_server_certificates_and_status(cloud: RunningCloud, tmp_path: Path) -> None:
    """A server's request is signed for its hosts; status tells the addresses."""
    csr = tmp_path / "gateway.csr"
    csr.write_text(certificates.request("gateway", certificates.new_key()))
    arguments = ("server-certificate", "gateway", "--csr", str(csr), "--host", "127.0.0.1", "--host", "localhost")
    cloud.command(*arguments, "--out", str(tmp_path))
    text = subprocess.run(
        ["openssl", "x509", "-in", str(tmp_path / "gateway.pem"), "-noout", "-ext", "subjectAltName"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "IP Address:127.0.0.1, DNS:localhost" in text
    status = json.loads(cloud.command("status", "--json").stdout)
    assert status.keys() == {"pid", "host", "mqtt_port", "http", "ca", "things"}


@pytest.mark.slow
def test_the_aws_cli_works_unmodified(cloud: RunningCloud, thing: str, tmp_path: Path) -> None:
    """`aws iot-data` with nothing but an endpoint, a CA bundle and the key pair of the run folder."""
    key = operator_key(cloud.home)
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CA_BUNDLE": cloud.ready["ca"],
        "HOME": str(tmp_path),
    }

    def aws(action: str, *arguments: str) -> Any:
        command = [sys.executable, "-m", "awscli", "iot-data", action, "--thing-name", thing, *arguments]
        command += ["--endpoint-url", cloud.ready["http"], *out]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=120)
        return json.loads((tmp_path / "out.json").read_text() if out else done.stdout)

    out = [str(tmp_path / "out.json")]
    document = '{"state": {"desired": {"light": true}}}'
    assert aws("update-thing-shadow", "--shadow-name", "lamp", "--payload", document)["version"] == 1
    assert aws("get-thing-shadow", "--shadow-name", "lamp")["state"]["delta"] == {"light": True}
    out = []
    assert aws("list-named-shadows-for-thing")["results"] == ["lamp"]


@pytest.mark.slow
def test_watch_prints_what_happens(cloud: RunningCloud, device: Any, thing: str) -> None:
    """A line a message, as it comes."""
    command = [sys.executable, "-m", "iot_cloud", "watch", thing]
    with subprocess.Popen(command, env=cloud.environment, stdout=subprocess.PIPE, text=True) as watching:
        wait_until(lambda: "lading.operator 1" in cloud.home.log("broker").read_text(), "the subscription")
        device.update({"reported": {"gate": "OPEN"}})
        assert watching.stdout
        line = watching.stdout.readline()
        watching.terminate()
    assert f"$aws/things/{thing}/shadow/update/documents" in line
    assert '"gate":"OPEN"' in line


def gone(pids: Iterable[int]) -> bool:
    """Whether none of these processes lives."""
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.slow
def test_up_killed_up_again_and_down() -> None:
    """A second `up` is refused in words; `kill -9` leaves no child; `up` goes on with what was; `down` stops it all."""
    cloud = RunningCloud.start()
    try:
        second = run_apart(cloud.environment, "up")
        assert second.returncode == 1
        assert "a cloud already runs in" in second.stderr
        cloud.provision("gate-1")
        children = cloud.children()
        assert children.keys() == {"broker", "service"}
        cloud.process.kill()
        cloud.process.wait()
        wait_until(lambda: gone(children.values()), "their end")
        cloud.home.ready.unlink()
        cloud.process = cloud._launch(cloud.environment, cloud.folder)
        cloud.wait_ready()
        assert [each["thing"] for each in cloud.api("GET", "/things")["things"]] == ["gate-1"]
        children = cloud.children()
        assert cloud.command("down").stdout == "stopped\n"
        assert cloud.process.wait(60) == 0
        assert not cloud.home.ready.exists()
        assert gone(children.values())
        for command in ("status", "down", "list"):
            refused = cloud.command(command)
            assert refused.returncode == 1, command
            assert "lading-cloud" in refused.stderr
        assert cloud.command("rotate-ca", "--finish").returncode == 0
    finally:
        cloud.remove()


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    """The address and the setting's name; nothing is left half-started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run_apart(alone(tmp_path, LADING_CLOUD_MQTT_PORT=port, LADING_CLOUD_HTTP_PORT="0"), "up")
    assert done.returncode == 1
    assert f"127.0.0.1:{port} cannot be listened on" in done.stderr
    assert "mqtt_port" in done.stderr


@pytest.mark.parametrize(
    ("text", "named"),
    [("[cloud]\nmqtt_port = 70000\n", "mqtt_port"), ("[cloud]\ncolour = 1\n", "colour"), ("[cloud\n", "lading.toml")],
)
def test_bad_settings_are_named(tmp_path: Path, text: str, named: str) -> None:
    """A value out of range, an unknown key, a file that is no TOML: key and file are named."""
    (tmp_path / "lading.toml").write_text(text)
    done = run_here(alone(tmp_path), "shadow", "get", "gate-1")
    assert done.returncode == 1
    assert named in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [(), ("fly",), ("provision", "gate-1"), ("shadow", "get")])
def test_wrong_usage(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Exit status 2 and the usage."""
    done = run_here(alone(tmp_path), *arguments)
    assert done.returncode == 2
    assert "usage: lading-cloud" in done.stderr
