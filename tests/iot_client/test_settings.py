"""The configuration: what it refuses, in words that name the field, and who wins."""

from pathlib import Path
from typing import Any

import pytest
import tomli_w

from iot_client.errors import ConfigError
from iot_client.settings import PiSettings, find_config, load_settings

GOOD: dict[str, Any] = {
    "thing": "gate-1",
    "device_id": 1,
    "site": 1,
    "operator": "0x" + "11" * 20,
    "chain_id": 1337,
    "chain_url": "https://127.0.0.1:8443",
    "sealers": ["0x" + "22" * 20, "0x" + "33" * 20, "0x" + "44" * 20],
    "confirmations": 3,
    "iot_host": "127.0.0.1",
}


def write(path: Path, table: dict[str, Any]) -> Path:
    """A `config.toml`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(tomli_w.dumps({"pi": table}))
    return path


def test_a_good_one_is_read(tmp_path: Path) -> None:
    """Proof is the default, k is half of the sealers, paths are relative to the file."""
    settings = load_settings(write(tmp_path / "config.toml", GOOD))
    assert (settings.verification, settings.depth_owned) == ("proof", 1)
    assert settings.path("keystore") == tmp_path / "keystore.json"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("thing", "a/b"), ("device_id", 0), ("device_id", 2**24), ("site", -1), ("operator", "0x12"), ("chain_id", 0),
        ("chain_url", "ftp://x"), ("sealers", []), ("sealers", ["0x1"]), ("confirmations", -1),
        ("verification", "faith"), ("iot_host", ""), ("iot_port", 70_000), ("keep_alive_s", 1),
        ("scanners", ["nose"]), ("gate", "door"), ("lock_pin", 99), ("pulse_s", 0), ("open_within_s", -5),
        ("min_balance_wei", -1), ("max_head_age_s", "soon"), ("nonsense", 1),
        ("door_page", "8600"), ("door_page", "127.0.0.1:"),
    ],
)  # fmt: skip
def test_each_wrong_field_is_named(tmp_path: Path, field: str, value: object) -> None:
    """A person reads which field is wrong, and in which file."""
    with pytest.raises(ConfigError, match=field):
        load_settings(write(tmp_path / "config.toml", GOOD | {field: value}))


@pytest.mark.parametrize("field", [name for name in PiSettings.model_fields if name != "folder"])
def test_no_field_takes_what_it_cannot_be(tmp_path: Path, field: str) -> None:
    """A table where a value belongs: every field of the configuration is named when it is wrong."""
    with pytest.raises(ConfigError, match=field):
        load_settings(write(tmp_path / "config.toml", GOOD | {field: {"no": "value"}}))


@pytest.mark.parametrize("field", GOOD)
def test_each_missing_field_is_named(tmp_path: Path, field: str) -> None:
    """Nothing that a door must know has a default."""
    with pytest.raises(ConfigError, match=field):
        load_settings(write(tmp_path / "config.toml", {name: GOOD[name] for name in GOOD if name != field}))


def test_what_is_no_toml_is_said(tmp_path: Path) -> None:
    """A broken file and a missing one are told apart."""
    path = tmp_path / "config.toml"
    with pytest.raises(ConfigError, match="enrol this device first"):
        load_settings(path)
    path.write_text("[pi")
    with pytest.raises(ConfigError, match="not TOML"):
        load_settings(path)


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`LADING_PI_SITE` overrides `site`."""
    monkeypatch.setenv("LADING_PI_SITE", "9")
    assert load_settings(write(tmp_path / "config.toml", GOOD)).site == 9


def test_the_only_thing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One enrolled thing needs no name, two do."""
    monkeypatch.setenv("LADING_HOME", str(tmp_path))
    monkeypatch.delenv("LADING_CONFIG", raising=False)
    with pytest.raises(ConfigError, match="enrol"):
        find_config()
    first = write(tmp_path / "pi" / "gate-1" / "config.toml", GOOD)
    assert find_config() == first
    write(tmp_path / "pi" / "gate-2" / "config.toml", GOOD)
    with pytest.raises(ConfigError, match="gate-1, gate-2"):
        find_config()
    assert find_config("gate-2").parent.name == "gate-2"
