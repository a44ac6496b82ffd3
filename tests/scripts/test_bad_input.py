"""Wrong calls of every command: a sentence that says what to do, a status other than 0, and nothing left behind."""

import getpass
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

import contracts.__main__
import geth_network.__main__
import iot_client.__main__
import iot_cloud.__main__
import proxy.__main__
import webapp.__main__

Main = Callable[[list[str]], int | None]
MAINS: dict[str, Main] = {
    "lading-chain": geth_network.__main__.main,
    "lading-gateway": proxy.__main__.main,
    "lading-cloud": iot_cloud.__main__.main,
    "lading-web": webapp.__main__.main,
    "lading-pi": iot_client.__main__.main,
    "contracts": contracts.__main__.main,
}
OWN = "work in a clone of your own"
POWERLESS = ("setpriv", "--inh-caps=-all", "--bounding-set=-all", "--") if os.geteuid() == 0 else ()
"""Root without its powers: bound by a file's mode as everybody is, and able to reach this Python wherever it lies."""
SCRIPTS = ("audit", "bench", "check", "demo", "setup", "test")
NOTHING_THERE = [
    ("lading-chain up", "run `lading-chain new` first"),
    ("lading-chain status", "run `lading-chain new` first"),
    ("lading-chain down", "no chain is running"),
    ("lading-chain fund 0x12 1", "'0x12' is not an address"),
    ("lading-chain logs", "run `lading-chain new` first"),
    ("lading-chain attach rpc-1", "run `lading-chain new` first"),
    ("lading-chain backup out.tar", "run `lading-chain new` first"),
    ("lading-chain restore none.tar", "none.tar is not a whole backup"),
    ("lading-chain join none.json --name a --card c.json", "none.json cannot be read"),
    ("lading-chain new --sealers 2", "choose 1 or 3"),
    ("lading-gateway up", "certificate"),
    ("lading-gateway check", "certificate"),
    ("lading-gateway status", "no gateway runs"),
    ("lading-gateway device add gate-1 0A", "start it with lading-gateway up"),
    ("lading-gateway render out", "certificate"),
    ("lading-cloud status", "start it with `lading-cloud up`"),
    ("lading-cloud revoke gate-1", "start the cloud with `lading-cloud up`"),
    ("lading-cloud shadow get gate-1", "the cloud does not run"),
    ("lading-web up", "start lading-chain, or set rpc"),
    ("lading-web admin create --name root", "give --passphrase-file"),
    ("lading-web admin create --name root --passphrase-file none.txt", "none.txt"),
    ("lading-web device provision --enrolment none.json --out b.json", "none.json is no enrolment file"),
    (
        "lading-web device provision --enrolment /dev/null --out b.json",
        "/dev/null is no enrolment file: file: Invalid JSON",
    ),
    ("lading-web device revoke --thing gate-1", "start lading-chain, or set rpc"),
    ("lading-pi run", "enrol this device first"),
    ("lading-pi check", "enrol this device first"),
    ("lading-pi journal", "enrol this device first"),
    ("lading-pi scan none.png", "enrol this device first"),
    ("lading-pi --config none.toml check", "none.toml does not exist"),
    ("lading-pi enrol --bundle none.json", "none.json is no bundle of an operator"),
    ("contracts deploy", "start it with `lading-chain up`"),
    ("contracts proof verify none.json --sealers 0x1212121212121212121212121212121212121212", "none.json"),
]


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and an empty run folder within it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LADING_HOME", str(tmp_path / "run folder"))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return tmp_path


def call(line: str) -> int:
    """Run a command within this process; argparse's exit counts as its status."""
    name, *arguments = line.split()
    try:
        return MAINS[name](arguments) or 0
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize(("line", "words"), NOTHING_THERE, ids=[line for line, _ in NOTHING_THERE])
def test_where_nothing_is_there_it_says_what_to_do(
    nowhere: Path, capsys: pytest.CaptureFixture[str], line: str, words: str
) -> None:
    """One sentence on stderr, status 1, no file of results, no traceback."""
    assert call(line) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert "Traceback" not in said.err
    assert "[Errno 2] No such file or directory: '/" not in said.err
    assert [path.name for path in nowhere.iterdir() if path.name != "run folder"] == []


@pytest.mark.parametrize("name", MAINS)
@pytest.mark.parametrize("wrong", ["frobnicate", "--frobnicate", ""])
def test_a_wrong_word_is_wrong_usage(nowhere: Path, capsys: pytest.CaptureFixture[str], name: str, wrong: str) -> None:
    """Status 2, the usage on stderr, and what could have been said instead."""
    assert call(f"{name} {wrong}") == 2
    said = capsys.readouterr().err
    assert "usage: " in said
    assert "<" not in said.split("choose from")[-1]
    assert list(nowhere.iterdir()) == []


READERS = {
    "chain": "lading-chain new",
    "gateway": "lading-gateway check",
    "cloud": "lading-cloud up",
    "web": "lading-web account list",
    "pi": "lading-pi check",
}
WRONG_SETTINGS = {
    "unknown": (b"[%s]\nfrobnicate = 1\n", "frobnicate"),
    "no TOML": (b"[%s]\nx = [", "lading.toml is not TOML"),
    "no text": (b"[%s]\n\xff", "lading.toml is not TOML"),
    "no table": (b"%s = 3\n", "and its settings below it"),
}


@pytest.mark.parametrize("table", READERS)
@pytest.mark.parametrize("fault", WRONG_SETTINGS)
def test_wrong_settings_are_named(nowhere: Path, capsys: pytest.CaptureFixture[str], table: str, fault: str) -> None:
    """The setting's own name, or the file that holds none; nothing is begun."""
    text, words = WRONG_SETTINGS[fault]
    run_folder = nowhere / "run folder"
    run_folder.mkdir()
    (run_folder / "lading.toml").write_bytes(text % table.encode())
    assert call(READERS[table]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1
    assert [path.name for path in run_folder.iterdir()] == ["lading.toml"]


@pytest.mark.parametrize("table", READERS)
def test_settings_that_are_not_there_are_named(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], table: str
) -> None:
    """A folder in the file's place, and a name in LADING_CONFIG that leads nowhere: defaults would do harm."""
    (nowhere / "run folder" / "lading.toml").mkdir(parents=True)
    assert call(READERS[table]) == 1
    assert capsys.readouterr().err.endswith("lading.toml: Is a directory\n")
    monkeypatch.setenv("LADING_CONFIG", str(nowhere / "mistyped.toml"))
    assert call(READERS[table]) == 1
    assert f"{nowhere / 'mistyped.toml'}" in capsys.readouterr().err
    assert [path.name for path in (nowhere / "run folder").iterdir()] == ["lading.toml"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_refuse_unknown_options(name: str) -> None:
    """Status 2 before anything is begun."""
    ended = subprocess.run([f"scripts/{name}", "--frobnicate"], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode != 0
    assert "frobnicate" in ended.stderr + ended.stdout


def test_setup_refuses_a_python_that_is_too_old(tmp_path: Path) -> None:
    """Its version and the oldest that will do, before anything is brought."""
    older = tmp_path / "python3"
    older.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.10.13 && exit\nexit 1\n')
    older.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ended = subprocess.run(["scripts/setup"], capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert ended.returncode == 1
    assert ended.stderr.startswith("setup: python3 is Python 3.10.13, Lading needs Python 3.11 or newer")
    assert ended.stdout == ""


def test_setup_refuses_a_checkout_of_somebody_else() -> None:
    """Whose it is, before anything is brought."""
    with tempfile.TemporaryDirectory() as folder:
        checkout = Path(folder)
        shutil.copytree("scripts", checkout / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        checkout.chmod(0o555)
        ended = subprocess.run(
            [*POWERLESS, checkout / "scripts" / "setup"], capture_output=True, text=True, check=False, timeout=60
        )
        checkout.chmod(0o755)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"setup: {folder} belongs to {getpass.getuser()}, and you may not write there: {OWN}\n"


def as_stranger(*command: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody whom the modes of files bind."""
    environment = os.environ | {"LADING_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [*POWERLESS, sys.executable, "-m", *command],
        capture_output=True, text=True, check=False, timeout=120, env=environment,
    )  # fmt: skip


ANYBODY = "0x" + "12" * 20
ENROL = f"iot_client enrol --thing gate-1 --site 1 --chain-id 1 --operator {ANYBODY} --registry {ANYBODY}"
COMMANDS = ("geth_network new --chain anvil", "proxy certificate", "iot_cloud up", "webapp account list", ENROL)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_folder_that_one_may_not_write_is_named(command: str) -> None:
    """Status 1 and the folder's name; no traceback."""
    ended = as_stranger(*command.split(), home=Path("/proc/lading"))
    assert ended.returncode == 1, ended.stderr
    assert "/proc/lading" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", [*COMMANDS, "contracts deploy"])
def test_a_run_folder_of_somebody_else_is_named(command: str, tmp_path: Path) -> None:
    """One that this user may not even enter: status 1, the path, the system's own words."""
    (tmp_path / "closed").mkdir(mode=0)
    ended = as_stranger(*command.split(), home=tmp_path / "closed")
    assert ended.returncode == 1, ended.stderr
    assert str(tmp_path / "closed") in ended.stderr
    assert ended.stderr.endswith(": Permission denied\n")
    assert len(ended.stderr.splitlines()) == 1


UNSHARED = ("unshare", "--map-root-user", "--mount", "--")
FULL = """
mount -t tmpfs -o size=64k,mode=700 tmpfs "$LADING_HOME"
head -c 1m /dev/zero >"$LADING_HOME/filler" || true
"$@" || status=$?
find "$LADING_HOME" -type f -name '.*'
exit "${status-0}"
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_said(command: str, tmp_path: Path) -> None:
    """Status 1 and the system's own words; no traceback, and no draft of a file is left."""
    ended = subprocess.run(
        [*UNSHARED, "sh", "-ec", FULL, "sh", sys.executable, "-m", *command.split()],
        capture_output=True, text=True, check=False, timeout=120, env=os.environ | {"LADING_HOME": str(tmp_path)},
    )  # fmt: skip
    assert ended.returncode == 1, ended.stderr
    assert "No space left on device" in ended.stderr or "disk is full" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


@pytest.mark.slow
def test_an_audit_that_cannot_write_its_parts_fails_and_keeps_the_earlier_ones(tmp_path: Path) -> None:
    """No file may pass eight kilobytes: status 1, no empty document in place of a whole one, no draft left."""
    (tmp_path / "python.json").write_text("earlier")
    limited = 'ulimit -f 8; exec scripts/audit parts --out "$1"'
    ended = subprocess.run(
        ["bash", "-c", limited, "bash", str(tmp_path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr.endswith("audit: parts did not pass\n")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("python.json", "earlier")]
