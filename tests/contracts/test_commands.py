"""`python -m contracts`, as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from eth_account import Account

from contracts.__main__ import main
from contracts.deployment import load_deployments
from tests.contracts.nodes import ROOT, Node
from tests.contracts.world import PRICE_WEI, World, account, fund

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(anvil_node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a sub-command as the account of a name; its exit status, output and complaints."""
    monkeypatch.setenv("LADING_HOME", str(tmp_path / "home"))

    def run(*words: str, by: str | None = None, rpc: str = anvil_node.url) -> tuple[int, str, str]:
        signer: list[str] = []
        if by is not None:
            fund(anvil_node, account(by).address)
            signer = _keystore(tmp_path, by)
        status = main([*words, "--rpc", rpc, *signer])
        output = capsys.readouterr()
        return status, output.out, output.err

    return run


def _keystore(folder: Path, name: str) -> list[str]:
    keystore, password = folder / f"{name}.json", folder / f"{name}.password"
    if not keystore.exists():
        keystore.write_text(json.dumps(Account.encrypt(account(name).key, "secret", kdf="pbkdf2", iterations=1)))
        password.write_text("secret\n")
        password.chmod(0o600)
    return ["--keystore", str(keystore), "--password-file", str(password)]


@pytest.mark.row("T8")
def test_a_consortium_is_set_up_by_five_commands(run: Run, anvil_node: Node, tmp_path: Path) -> None:
    """deploy, operator list, site open, site close, operator delist; each says what it did; folders are private."""
    mask = os.umask(0o022)
    try:
        status, out, err = run("deploy", "--json", by="consul")
    finally:
        os.umask(mask)
    assert (status, err) == (0, "")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "home", tmp_path / "home" / "contracts")} == {0}
    (deployment,) = load_deployments(tmp_path / "home" / "contracts" / "deployments.json")
    assert json.loads(out)["factory"] == deployment.factory
    status, again, _ = run("deploy", "--json", by="consul")
    assert (status, again) == (0, out)

    operator = account("harbour").address
    listed = [run("operator", "list", operator, "--name", "Harbour", "--json", by="consul") for _ in range(2)]
    assert [(status, json.loads(out)["listed"]) for status, out, _ in listed] == [(0, "now"), (0, "before")]
    status, out, _ = run("site", "open", "--name", "Pier 1", "--json", by="harbour")
    assert (status, json.loads(out)) == (0, {"site": 1, "name": "Pier 1", "operator": operator})
    status, out, _ = run("site", "close", "1", by="harbour")
    assert (status, out.split()) == (0, ["site", "1", "open", "False"])
    status, _, err = run("site", "close", "1", by="harbour")
    assert (status, err) == (1, "contracts: site 1 is not open\n")
    assert run("operator", "delist", operator, by="consul")[0] == 0
    status, _, err = run("site", "open", "--name", "Pier 2", by="harbour")
    assert (status, "is no listed operator" in err) == (1, True)


def test_the_run_folder_lends_its_node_and_its_treasury(run: Run, anvil_node: Node, tmp_path: Path) -> None:
    """The registry's admin types nothing but what is to be done; a site's operator names their own key."""
    chain = tmp_path / "home" / "chain"
    assert main(["deploy"]) == 1
    (chain / "treasury").mkdir(parents=True)
    (chain / "ready.json").write_text(json.dumps({"rpc": [anvil_node.url]}))
    fund(anvil_node, account("treasury").address)
    _, keystore, _, password = _keystore(tmp_path, "treasury")
    Path(keystore).rename(chain / "treasury" / "keystore.json")
    Path(password).rename(chain / "treasury" / "password")
    assert main(["deploy"]) == 0
    assert main(["operator", "list", account("quay").address, "--name", "Quay"]) == 0
    with pytest.raises(SystemExit):
        main(["site", "open", "--name", "Pier 3"])


def test_without_a_chain_the_option_is_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """And the command that starts one."""
    assert main(["show", "0x" + "11" * 20]) == 1
    assert "start it with `lading-chain up`, or say --rpc URL" in capsys.readouterr().err


def test_a_sale_is_shown(run: Run, anvil_world: World) -> None:
    """Terms and state, for people and programs."""
    sale = anvil_world.sold()
    status, out, _ = run("show", sale.address, "--json")
    shown = json.loads(out)
    assert (status, shown["status"], shown["make"], shown["price_wei"]) == (0, "SOLD", "Nimbus", PRICE_WEI)
    assert shown["buyer"] == anvil_world.buyer.address
    status, out, _ = run("show", sale.address)
    assert "status         SOLD" in out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("show", "0x12"), "is no address"),
        (("show", "0x" + "12" * 20), "not the code of a sale"),
        (("show", "0x" + "12" * 20, "--rpc", "http://127.0.0.1:1"), "cannot be reached"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(
    run: Run, anvil_node: Node, words: tuple[str, ...], complaint: str
) -> None:
    """On stderr, with status 1."""
    rpc = words[-1] if "--rpc" in words else anvil_node.url
    status, out, err = run(*words[:2], rpc=rpc)
    assert (status, out) == (1, "")
    assert complaint in err


def test_a_keystore_that_cannot_be_opened_is_refused_in_words(run: Run, tmp_path: Path) -> None:
    """A missing file, a password that others read, another password, no keystore at all."""
    path, password = tmp_path / "k.json", tmp_path / "p"
    signer = ("--keystore", str(path), "--password-file", str(password))
    status, _, err = run("deploy", *signer)
    assert (status, err) == (1, f"contracts: {path}: No such file or directory\n")
    path.write_text(json.dumps(Account.encrypt("0x" + "11" * 32, "right", kdf="pbkdf2", iterations=1)))
    password.write_text("wrong")
    password.chmod(0o640)
    assert run("deploy", *signer) == (1, "", f"contracts: {password} can be read by others: chmod 600 {password}\n")
    password.chmod(0o600)
    status, _, err = run("deploy", *signer)
    assert (status, "its password is another" in err) == (1, True)
    path.write_text("[]")
    assert run("deploy", *signer)[0] == 1


FULL_DISK = """
mount -t tmpfs -o size=1m,mode=700 tmpfs "$LADING_HOME"
head -c 2m /dev/zero >"$LADING_HOME/filler" || true
if "$@"; then exit 9; fi
find "$LADING_HOME" -type f -size +0
rm "$LADING_HOME/filler"
exec "$@"
"""


@pytest.mark.slow
def test_a_full_disk_is_said_and_a_later_deployment_goes_through(anvil_node: Node, tmp_path: Path) -> None:
    """Nothing is sent that could not be noted first; no draft is left; with room, the same words deploy."""
    fund(anvil_node, account("hoarder").address)
    signer = _keystore(tmp_path, "hoarder")
    home = tmp_path / "home"
    home.mkdir()
    ended = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "--", "sh", "-ec", FULL_DISK, "sh",
         sys.executable, "-m", "contracts", "deploy", "--json", "--rpc", anvil_node.url, *signer],
        capture_output=True, text=True, check=False, timeout=120, env=os.environ | {"LADING_HOME": str(home)},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "deployments.json.started cannot be written: No space left on device\n" in ended.stderr
    assert "Traceback" not in ended.stderr
    left, said = ended.stdout.split("\n", 1)
    assert left == str(home / "filler")
    assert set(json.loads(said)) == {"chain_id", "factory", "implementation", "registry", "kind"}


def test_commands_need_a_deployment_of_the_chain(run: Run) -> None:
    """And say how to get one."""
    status, _, err = run("site", "open", "--name", "x", by="consul")
    assert (status, "python -m contracts deploy" in err) == (1, True)


@pytest.mark.parametrize("words", [[], ["site"], ["operator", "list"], ["site", "open", "--name", "x"], ["sell"]])
def test_wrong_usage_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """And prints how it is used."""
    with pytest.raises(SystemExit) as exited:
        main(words)
    assert exited.value.code == 2
    assert "usage: python -m contracts" in capsys.readouterr().err


def test_the_module_runs_by_itself() -> None:
    """Every sub-command is in its help."""
    done = subprocess.run(
        [sys.executable, "-m", "contracts", "--help"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert all(word in done.stdout for word in ("deploy", "operator", "site", "show"))
