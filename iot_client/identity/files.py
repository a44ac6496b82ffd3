"""Secrets on disk: mode 0600, replaced in one step; and the configuration as TOML."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads."""
    _write(path, content, 0o600)


def write_public(path: Path, content: bytes) -> None:
    """Write a file that holds no secret; the process's mask says who may read it."""
    _write(path, content, 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def toml_table(name: str, values: Mapping[str, object]) -> str:
    """A table of strings, numbers, booleans and lists of them: TOML writes these as JSON does."""
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
    return f"[{name}]\n" + "".join(lines)
