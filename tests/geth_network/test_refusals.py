"""Wrong settings and wrong surroundings: a clear sentence, status 1, nothing left behind."""

import errno
import os
from pathlib import Path

import pytest

from geth_network.__main__ import main
from geth_network.amounts import parse_address, parse_ether
from geth_network.errors import SettingsError
from geth_network.folder import Folder, write_atomically
from tests.geth_network.chain import Chain


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a refused command says."""
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 1
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sealers", "2"], "choose 1 or 3, or say --even"),
        (["--sealers", "4"], "choose 3 or 5"),
        (["--sealers", "0"], "1 sealer or more"),
        (["--period", "0"], "period 0"),
        (["--chain-id", str(2**53)], "chain id"),
        (["--chain-id", "0"], "chain id"),
        (["--epoch", "1"], "epoch"),
        (["--gas-limit", "21000"], "gas limit"),
        (["--alloc", "0x12=1"], "not an address"),
        (["--alloc", "0x" + "12" * 20], "ADDRESS=ETHER"),
        (["--alloc", "0x" + "12" * 20 + "=-1"], "amount of ether"),
    ],
)
def test_new_refuses(home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    """The sentence says what to choose; no file is made."""
    assert words in refusal(capsys, "new", *arguments)
    assert not (home / "chain" / "network.json").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("logs", "there is no log yet"),
        ("attach seller", "seller does not run"),
        ("attach bootnode", "bootnode holds no chain: name one of seller, rpc-1"),
        ("attach nobody", "no node is called 'nobody'"),
        ("resync bootnode", "bootnode holds no chain"),
        ("add-member {home}/chain/network.json", "not a member's card (it names no node)"),
    ],
)
def test_a_node_that_cannot_be_reached_is_named(
    home: Path, capsys: pytest.CaptureFixture[str], line: str, words: str
) -> None:
    """Our own words, not geth's or the shell's."""
    main(["new", "--sealers", "1", "--rpc-nodes", "1"])
    assert words in refusal(capsys, *line.format(home=home).split())


@pytest.mark.parametrize(
    ("file", "environment", "words"),
    [
        ("[chain", {}, "lading.toml is not TOML"),
        ("[chain]\nperiod = 2", {}, "period: there is no such setting"),
        ("[chain]\nperiod_s = 'x'", {}, "period_s: Input should be a valid integer"),
        ("", {"LADING_CHAIN_SEALERS": "three"}, "sealers: Input should be a valid integer"),
    ],
)
def test_a_setting_that_is_none_is_named(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    file: str,
    environment: dict[str, str],
    words: str,
) -> None:
    """The file, the key and what is wrong, in one line; nothing is made."""
    (home / "lading.toml").write_text(file)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    said = refusal(capsys, "new")
    assert words in said
    assert str(home / "lading.toml") in said
    assert said.count("\n") == 1
    assert not (home / "chain").exists()


def test_a_folder_that_cannot_be_written_is_named(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's words and the folder, no traceback."""
    (home / "file").touch()
    monkeypatch.setenv("LADING_HOME", str(home / "file"))
    assert f"{home}/file/lading.toml: Not a directory" in refusal(capsys, "new")


def test_a_full_disk_leaves_the_old_text_and_no_draft(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A description is whole or not there."""
    path = home / "network.json"
    write_atomically(path, "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "new")
    assert [(found.name, found.read_text()) for found in home.iterdir()] == [("network.json", "old")]


def test_an_even_number_is_possible_if_meant(home: Path) -> None:
    """Two members alone have no odd number to choose."""
    main(["new", "--sealers", "2", "--even"])
    assert len(Chain(home).network().sealers) == 2


@pytest.mark.parametrize("command", ["status", "up", "down", "fund", "logs", "backup", "export"])
def test_commands_without_a_chain_say_so(home: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    """They name the command that makes or starts one."""
    more = {"fund": ["0x" + "12" * 20, "1"], "backup": [str(home / "b")], "export": [str(home / "e")]}
    words = refusal(capsys, command, *more.get(command, []))
    assert "lading-chain" in words or "no chain is running" in words


def test_a_missing_binary_names_setup(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is started."""
    main(["new", "--peer-port", "0", "--rpc-port", "0"])
    monkeypatch.setattr("geth_network.programs.sys.prefix", str(home / ".venv"))
    monkeypatch.setattr("geth_network.programs.CHECKOUT", home)
    monkeypatch.setenv("PATH", str(home))
    assert "scripts/setup" in refusal(capsys, "up")
    monkeypatch.setenv("LADING_CHAIN_GETH", str(home / "geth"))
    assert "not a program" in refusal(capsys, "up")
    assert not (home / "chain" / "ready.json").exists()


def test_a_path_too_long_for_a_socket_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any key is made for good."""
    monkeypatch.setenv("LADING_HOME", str(home / ("x" * 100)))
    assert "set LADING_HOME to a shorter path" in refusal(capsys, "new")
    assert not list(home.glob("**/network.json"))


def test_a_password_that_others_can_read_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence holds the chmod to type."""
    main(["new", "--peer-port", "0", "--rpc-port", "0"])
    password = Folder(home / "chain").data("buyer") / "account" / "password"
    password.chmod(0o644)
    words = refusal(capsys, "up")
    assert f"chmod 600 {password}" in words
    assert password.read_text().strip() not in words


def test_a_damaged_description_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half a network.json is no traceback."""
    main(["new", "--peer-port", "0", "--rpc-port", "0"])
    path = home / "chain" / "network.json"
    path.write_text(path.read_text()[:100])
    assert "is damaged" in refusal(capsys, "status")


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "-1", "0", "1e-19", "1e70", "1,5"])
def test_amounts_that_are_none(text: str) -> None:
    """Ether is positive, with at most 18 decimals, below 2^256 wei."""
    with pytest.raises(SettingsError, match="ether"):
        parse_ether(text)


def test_amounts_are_exact() -> None:
    """No float in between."""
    assert parse_ether("0.000000000000000001") == 1
    assert parse_ether("123456789.123456789123456789") == 123456789123456789123456789


def test_a_mistyped_address_is_refused() -> None:
    """EIP-55's checksum finds a changed digit."""
    good = parse_address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")
    assert good == "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    with pytest.raises(SettingsError, match="checksum"):
        parse_address(good.replace("5aA", "5aB"))
