"""The admitted devices and users on disk: one JSON file, replaced as a whole."""

import json
import os
import secrets
from dataclasses import asdict
from pathlib import Path

from proxy.admission import Admission
from proxy.errors import DiskError, SettingsError


class Store:
    """`admitted.json` and the key of the users' secrets, both 0600."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "admitted.json"
        self._key_path = folder / "users.key"

    def load(self) -> Admission:
        """Read what was admitted; nobody, if nothing was ever written.

        Raises:
            SettingsError: the file is damaged; nobody is admitted on a guess.
        """
        if not self._path.exists():
            return Admission()
        try:
            return Admission(**json.loads(self._path.read_text()))
        except (ValueError, TypeError) as error:
            raise SettingsError(f"{self._path} is damaged: restore it or delete it") from error

    def save(self, admission: Admission) -> None:
        """Write what is admitted now."""
        write_secret(self._path, json.dumps(asdict(admission), indent=2).encode())

    def key(self) -> bytes:
        """The key from which users' secrets are derived, made on first use."""
        if not self._key_path.exists():
            write_secret(self._key_path, secrets.token_bytes(32))
        return self._key_path.read_bytes()


def write_secret(path: Path, content: bytes) -> None:
    """Replace a file in one step, readable to its owner alone.

    Raises:
        DiskError: it could not be written; the old content stays.
    """
    try:
        _replace(path, content)
    except OSError as error:
        raise DiskError(f"{path} cannot be written: {error.strerror}") from error


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
