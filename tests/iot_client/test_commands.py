"""The command line, in words and exit statuses."""

import json
import socket
import threading
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from iot_client.__main__ import main
from iot_client.admin import ask_pi
from iot_client.errors import EnrolmentError, PiError
from iot_client.gate.simulated import read_door
from iot_client.identity.enrolment import Request, accept_bundle, enrol
from iot_client.identity.files import toml_table
from iot_client.identity.keys import load_chain_key
from iot_client.journal import Journal
from iot_client.log import clean
from tests.iot_client.test_settings import GOOD, write


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An enrolled thing's folder."""
    monkeypatch.setenv("LADING_HOME", str(tmp_path))
    monkeypatch.delenv("LADING_CONFIG", raising=False)
    return write(tmp_path / "pi" / "gate-1" / "config.toml", GOOD).parent


def test_without_a_running_pi_status_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1 and what to do."""
    assert main(["status"]) == 1
    assert "lading-pi run" in capsys.readouterr().err


def test_wrong_usage_is_two(folder: Path) -> None:
    """An unknown command ends with 2."""
    with pytest.raises(SystemExit) as ended:
        main(["dance"])
    assert ended.value.code == 2


def test_an_unenrolled_machine_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration: the command says how to get one."""
    monkeypatch.setenv("LADING_HOME", str(tmp_path))
    assert main(["run"]) == 1


def test_a_stranger_with_a_proof_is_told_to_name_the_sealers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a configuration the command says by which options it is checked."""
    monkeypatch.setenv("LADING_HOME", str(tmp_path))
    monkeypatch.delenv("LADING_CONFIG", raising=False)
    assert main(["proof", "verify", str(tmp_path / "proof.json")]) == 1
    assert "--sealers" in capsys.readouterr().err


def test_check_says_what_is_not_well(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every part has a line; what is missing says what to do."""
    assert main(["check", "--json"]) == 1
    findings = {found["part"]: found for found in json.loads(capsys.readouterr().out)}
    assert not findings["chain key"]["well"]
    assert "enrol" in findings["chain key"]["says"]
    assert findings["gate"]["well"]


def test_the_journal_is_read_while_nothing_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every scan and its outcome, for people and for programs."""
    journal = Journal(folder / "journal.sqlite")
    journal.add_scan("inbox", "a.png", {}, remote=True, sale="0x1", outcome="not-paid", detail="", ms=12)
    journal.close()
    assert main(["journal"]) == 0
    assert "inbox (remote)" in capsys.readouterr().out
    assert main(["journal", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scans"][0]["outcome"] == "not-paid"


def test_simulate_sets_the_mode(folder: Path) -> None:
    """The simulated gate jams on demand."""
    assert main(["simulate", "jam"]) == 0
    assert read_door(folder / "gate.json").mode == "jam"


def test_enrolment_makes_keys_once(tmp_path: Path) -> None:
    """A repeated enrolment keeps the keys; secrets are their owner's alone."""
    request = Request("gate-1", 1, "0x" + "11" * 20, 1337, "0x" + "22" * 20, 2_000_000_000)
    first, second = enrol(tmp_path, request), enrol(tmp_path, request)
    assert (first["device"], first["certificate"], first["consent"]) == (
        second["device"], second["certificate"], second["consent"],
    )  # fmt: skip
    for name in ("keystore.json", "password", "x509.key"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    assert load_chain_key(tmp_path / "keystore.json", tmp_path / "password").address == first["device"]


def test_a_renewal_has_a_new_x509_key_that_waits_for_its_bundle(tmp_path: Path) -> None:
    """The door goes on with the present key; asked again it is the same new one; the chain key stays."""
    request = Request("gate-1", 1, "0x" + "11" * 20, 1337, "0x" + "22" * 20, 2_000_000_000)
    first, present = enrol(tmp_path, request), (tmp_path / "x509.key").read_bytes()
    renewed, again = (enrol(tmp_path, replace(request, device_id=7)) for _ in range(2))
    assert renewed["device"] == first["device"]
    assert renewed["certificate"] == again["certificate"] != first["certificate"]
    assert (tmp_path / "x509.key").read_bytes() == present
    waiting = (tmp_path / "x509.next.key").read_bytes()
    for asked, key in ((first, present), (renewed, waiting), (renewed, waiting)):
        accept_bundle(tmp_path, bundle_for(str(asked["csr"])))
        assert (tmp_path / "x509.key").read_bytes() == key
    assert not (tmp_path / "x509.next.key").exists()
    with pytest.raises(EnrolmentError, match="another device's key"):
        accept_bundle(tmp_path, bundle_for(str(first["csr"])))


def bundle_for(csr: str) -> dict[str, Any]:
    """An operator's answer, with a certificate that only tells whose it is."""
    request, issuer = x509.load_pem_x509_csr(csr.encode()), ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(request.subject).issuer_name(request.subject).serial_number(1)
        .public_key(request.public_key()).not_valid_before(now).not_valid_after(now + timedelta(days=1))
        .sign(issuer, hashes.SHA256())
    )  # fmt: skip
    names = ("thing", "device_id", "site", "operator", "chain_id", "chain_url", "iot_host", "iot_port", "confirmations")
    pem = certificate.public_bytes(Encoding.PEM).decode()
    return dict.fromkeys(names, 1) | {"certificate": pem, "ca": "", "gateway_ca": "", "deployments": [], "sealers": []}


def test_the_configuration_is_toml_whatever_a_person_wrote() -> None:
    """What a renewal keeps comes back as it was: quotes, umlauts, lists, numbers."""
    table = {
        "thing": 'gate "1" — Süd\\',
        "scanners": ["usb", "inbox"],
        "sensor_pin": 27,
        "pulse_s": 1e-05,
        "local": True,
    }
    assert tomllib.loads(toml_table("pi", table)) == {"pi": table}


def test_a_bundle_for_another_key_is_refused(tmp_path: Path) -> None:
    """A certificate that is not this device's is not taken."""
    request = Request("gate-1", 1, "0x" + "11" * 20, 1337, "0x" + "22" * 20, 2_000_000_000)
    enrol(tmp_path, request)
    with pytest.raises(Exception, match="PEM"):
        accept_bundle(tmp_path, {"certificate": "nonsense"})
    assert not (tmp_path / "config.toml").exists()


def test_the_log_hides_vouchers_and_keys() -> None:
    """Whatever is logged by mistake is cut out."""
    text = f"read LADING:1:{'A0' * 88}; and 0x{'ab' * 65}"
    assert clean(text) == "read <hidden>; and <hidden>"


def test_a_pi_that_ends_before_it_answers_is_told_in_words(tmp_path: Path) -> None:
    """An order given in the moment of a power cut fails with a reason, not with a decoder's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(tmp_path / "admin.sock"))
        server.listen()

        def die() -> None:
            with server.accept()[0] as asked:
                asked.recv(100)

        dies = threading.Thread(target=die)
        dies.start()
        with pytest.raises(PiError, match="ended before it answered"):
            ask_pi(tmp_path / "admin.sock", {"do": "status"})
        dies.join()
