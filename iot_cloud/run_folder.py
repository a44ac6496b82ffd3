"""The run folder, and in its settings file the table of one process."""

import os
import tomllib
from pathlib import Path
from typing import Any

from iot_cloud.errors import SettingsError

CHECKOUT = Path(__file__).resolve().parents[1]


def run_folder() -> Path:
    """`LADING_HOME`, or `.lading` beside the checkout's files."""
    return Path(os.environ.get("LADING_HOME") or CHECKOUT / ".lading").resolve()


def settings_file() -> Path:
    """`LADING_CONFIG`, or `lading.toml` in the run folder."""
    return Path(os.environ.get("LADING_CONFIG") or run_folder() / "lading.toml").absolute()


def read_table(name: str) -> dict[str, Any]:
    """The table of this name; empty where nobody wrote one.

    Raises:
        SettingsError: the file cannot be read, or is none of settings.
    """
    path = settings_file()
    try:
        table = tomllib.loads(path.read_text("utf-8")).get(name, {})
    except FileNotFoundError:
        if path.resolve() != (run_folder() / "lading.toml").resolve():
            raise SettingsError(f"{path}, which LADING_CONFIG names, is not there") from None
        return {}
    except OSError as fault:
        raise SettingsError(f"{path}: {fault.strerror}") from fault
    except ValueError as damage:
        raise SettingsError(f"{path} is not TOML: {damage}") from damage
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: write [{name}] and its settings below it, not {name} = …")
    return table
