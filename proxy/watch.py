"""What closes the door while the gateway serves, and opens it again: a bad revocation list, a full disk."""

import os
import shutil
import time
from dataclasses import replace
from typing import Protocol

from proxy.errors import GatewayError
from proxy.gateway import Gateway
from proxy.material import read_material

GRACE_S = 1.0
FULL_BYTES = 1 << 20
FREE_BYTES = 2 << 20
RESERVE_BYTES = 1 << 18


class Watch(Protocol):
    """Looks four times a second; `trouble` says why the door is closed, or is empty."""

    trouble: str

    def look(self) -> None:
        """Close, open, or leave it."""


class RevocationWatch:
    """Takes a new revocation list into force; without a readable one no certificate is accepted."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._seen = gateway.state.material.client_crl
        self._bad_since: float | None = None
        self.trouble = ""

    def look(self) -> None:
        """Read the list."""
        content = self._read()
        if content == self._seen and self._bad_since is None:
            return
        self._seen = content
        try:
            self._gateway.bring(material=read_material(self._gateway.settings))
            self.trouble, self._bad_since = "", None
        except GatewayError as error:
            self._close(str(error))

    def _read(self) -> bytes:
        try:
            return self._gateway.settings.client_crl.read_bytes()
        except OSError:
            return b""

    def _close(self, why: str) -> None:
        self.trouble = why
        now = time.monotonic()
        self._bad_since = self._bad_since or now
        material = self._gateway.state.material
        if not material.closed and now - self._bad_since >= GRACE_S:
            closed = replace(material, closed="no valid revocation list: no certificate is accepted")
            self._gateway.bring(material=closed)


class DiskWatch:
    """Refuses every call while the log's disk is full: what passes can be read there afterwards.

    A reserved file is given up first, so that there is room for the configuration that refuses.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._logs = gateway.settings.folder / "logs"
        self._reserve = gateway.settings.folder / "reserve"
        self.trouble = ""
        self._hold()

    def look(self) -> None:
        """Ask how much is free."""
        free, closed = shutil.disk_usage(self._logs).free, self._gateway.state.full
        if not closed and free < FULL_BYTES:
            self._reserve.unlink(missing_ok=True)
            self._gateway.bring(full=True, test=False)
            self.trouble = f"the disk of {self._logs} is full: nothing passes that cannot be logged"
        elif closed and free >= FREE_BYTES:
            self._gateway.bring(full=False)
            self._hold()
        if not self._gateway.state.full:
            self.trouble = ""

    def _hold(self) -> None:
        try:
            with self._reserve.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        except OSError:
            self._reserve.unlink(missing_ok=True)
