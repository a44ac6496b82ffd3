"""One picture, one release, in the foreground: `lading-pi scan --release`."""

import time
from dataclasses import replace
from pathlib import Path

from iot_client.pi import Pi, hold_lock, make_parts
from iot_client.scanner import Scan
from iot_client.scanner.folder import scan_file
from iot_client.settings import PiSettings

CLOUD_WAIT_S = 15.0
LONGEST_S = 600.0


def release_once(settings: PiSettings, picture: Path) -> bool:
    """Serve this one picture; true if the gate opened."""
    hold_lock(settings.folder / "lock")
    pi = Pi(make_parts(settings.model_copy(update={"scanners": ()})))
    watch = _Watch(pi, scan_file(picture))
    pi.loop.every_tick(watch.look)
    pi.run()
    return watch.opened


class _Watch:
    """Hands the scan over once the cloud is there, and ends when its outcome is known."""

    def __init__(self, pi: Pi, scan: Scan) -> None:
        self._pi = pi
        self._scan: Scan | None = scan
        self._began = time.monotonic()
        self.opened = False

    def look(self) -> None:
        """Called every tick."""
        waited = time.monotonic() - self._began
        if self._scan is not None and (self._pi.shadow.connected or waited > CLOUD_WAIT_S):
            scan, self._scan = self._scan, None
            self._pi.attendant.scanned(replace(scan, started_ns=time.monotonic_ns()))
        elif self._scan is None and (self._pi.attendant.idle or waited > LONGEST_S):
            self.opened = bool(self._pi.releases.in_hand.opened)
            self._pi.loop.stop()
