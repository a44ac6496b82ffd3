"""A USB hand scanner: a keyboard to the kernel, taken away from the console so that no voucher is typed there."""

import glob
import logging
import select
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from iot_client.errors import ConfigError
from iot_client.scanner import Reading, Scan, Sink, Unread
from iot_client.scanner.held import Held
from iot_client.scanner.keys import Typist

log = logging.getLogger("iot_client")

RETRY_S = 1.0
LOOK_S = 0.2


class KeyEvent(Protocol):
    """One `struct input_event`."""

    type: int
    code: int
    value: int


class Keyboard(Protocol):
    """What evdev gives of a device."""

    def fileno(self) -> int:
        """What to wait for."""

    def read(self) -> Iterable[KeyEvent]:
        """The events that are there."""

    def close(self) -> None:
        """Let go of it."""


def grab(pattern: str) -> Keyboard:
    """The one device that the pattern fits, for this process alone.

    Raises:
        ConfigError: none, or several.
        OSError: it cannot be opened, or another process holds it.
    """
    found = sorted(glob.glob(pattern))  # noqa: PTH207  # an absolute pattern is what a person writes here
    if not found:
        raise ConfigError(f"no USB scanner fits {pattern}: is it plugged in, and is `hand` in config.toml its path?")
    if len(found) > 1:
        raise ConfigError(f"several keyboards fit {pattern}: write the scanner's as `hand` in config.toml: {found}")
    try:
        import evdev
    except ImportError as error:
        raise ConfigError("the scanner `usb` needs evdev: pip install '.[pi]'") from error
    device = evdev.InputDevice(found[0])
    try:
        device.grab()
    except OSError:
        device.close()
        raise
    return device


class HandScanner:
    """Each line that it types is one scan; it may be unplugged and plugged in again."""

    def __init__(self, pattern: str, held: Held, name: str = "usb", grab: Callable[[str], Keyboard] = grab) -> None:
        self._pattern = pattern
        self._held = held
        self._name = name
        self._grab = grab
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, sink: Sink) -> None:
        """Grab the scanner and begin to listen; refuses to start without it."""
        try:
            keyboard = self._grab(self._pattern)
        except OSError as error:
            raise ConfigError(
                f"the USB scanner cannot be taken: {error}. May this user read it (group input), and does nothing else?"
            ) from error
        self._thread = threading.Thread(
            target=self._serve, args=(keyboard, sink), name=f"scanner-{self._name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Let go of it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _serve(self, keyboard: Keyboard | None, sink: Sink) -> None:
        while not self._stop.is_set():
            if keyboard is not None:
                self._listen(keyboard, sink)
            keyboard = self._again()

    def _listen(self, keyboard: Keyboard, sink: Sink) -> None:
        typist = Typist()
        try:
            while not self._stop.is_set():
                if select.select([keyboard], [], [], LOOK_S)[0]:
                    self._take(keyboard, typist, sink)
        except OSError as error:
            log.warning("the USB scanner is gone: %s", error)
        finally:
            keyboard.close()

    def _take(self, keyboard: Keyboard, typist: Typist, sink: Sink) -> None:
        events = list(keyboard.read())
        if not events:
            raise OSError("it says nothing more")
        for event in events:
            line = typist.take(event.type, event.code, event.value)
            if line is not None and self._held.is_new(line, time.monotonic()):
                reading = Reading(line, step="usb") if line else Reading(None, Unread.NO_CODE, "usb")
                sink(Scan(reading, self._name, started_ns=time.monotonic_ns()))

    def _again(self) -> Keyboard | None:
        if self._stop.wait(RETRY_S):
            return None
        try:
            keyboard = self._grab(self._pattern)
        except (ConfigError, OSError):
            return None
        log.warning("the USB scanner is there again")
        return keyboard
