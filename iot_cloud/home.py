"""The cloud's folder inside the run folder: which file is where."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iot_cloud.errors import NotRunningError
from iot_cloud.run_folder import run_folder


@dataclass(frozen=True)
class CloudHome:
    """Paths under `<run folder>/cloud`."""

    root: Path

    @classmethod
    def default(cls) -> "CloudHome":
        """The one that LADING_HOME names."""
        return cls(run_folder() / "cloud")

    def create(self) -> None:
        """Make the folders, private to this user."""
        for folder in (self.root, self.ca, self.keys, self.broker, self.data):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def ca(self) -> Path:  # noqa: D102
        return self.root / "ca"

    @property
    def ca_certificates(self) -> Path:  # noqa: D102
        return self.ca / "ca.pem"

    @property
    def crl(self) -> Path:  # noqa: D102
        return self.ca / "crl.pem"

    @property
    def keys(self) -> Path:  # noqa: D102
        return self.root / "keys"

    @property
    def broker(self) -> Path:  # noqa: D102
        return self.root / "broker"

    @property
    def data(self) -> Path:  # noqa: D102
        return self.root / "data"

    @property
    def registry(self) -> Path:  # noqa: D102
        return self.data / "registry.sqlite"

    @property
    def shadows(self) -> Path:  # noqa: D102
        return self.data / "shadows.sqlite"

    @property
    def records(self) -> Path:  # noqa: D102
        return self.data / "records.sqlite"

    @property
    def operator_key(self) -> Path:  # noqa: D102
        return self.root / "operator.json"

    @property
    def admin_socket(self) -> Path:  # noqa: D102
        return self.root / "admin.sock"

    @property
    def ready(self) -> Path:  # noqa: D102
        return self.root / "ready.json"

    @property
    def service_ready(self) -> Path:  # noqa: D102
        return self.root / "service.json"

    @property
    def lock(self) -> Path:  # noqa: D102
        return self.root / "lock"

    def log(self, process: str) -> Path:
        """The log file of one of the cloud's processes."""
        return self.root / f"{process}.log"

    def read_ready(self) -> dict[str, Any]:
        """What the running cloud says about itself; NotRunningError if it does not run."""
        try:
            found: dict[str, Any] = json.loads(self.ready.read_text())
        except FileNotFoundError:
            raise NotRunningError(f"the cloud does not run in {self.root}: start it with `lading-cloud up`") from None
        return found


def write_private(path: Path, content: str | bytes) -> None:
    """Replace a file atomically, readable by this user only."""
    data = content.encode() if isinstance(content, str) else content
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
