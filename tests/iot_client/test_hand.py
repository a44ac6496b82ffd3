"""A USB hand scanner, from the kernel's `struct input_event` bytes to scans, read by evdev's own code.

This machine may have no input devices, so a pipe stands for the device file; only opening and grabbing it are left out.
"""

import os
import queue
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from evdev import ecodes
from evdev.eventio import EventIO

from iot_client.errors import ConfigError
from iot_client.scanner import Scan, Unread
from iot_client.scanner.hand import HandScanner, grab
from iot_client.scanner.held import Held
from iot_client.scanner.keys import PLAIN, SHIFTED
from tests.iot_client.warehouse import wait_until

TEXT = "LADING:1:7P/.*+-$% A0B9"
PATIENCE_S = 60
KEYS = {text: code for code, text in PLAIN.items()} | {text: (code,) for code, text in SHIFTED.items() if text != "*"}


def event(kind: int, code: int, value: int) -> bytes:
    """One `struct input_event`."""
    return struct.pack("llHHi", 1_700_000_000, 0, kind, code, value)


def key(code: int, value: int) -> bytes:
    """A key's event as a keyboard sends it: scan code, key, report."""
    return event(4, 4, code) + event(1, code, value) + event(0, 0, 0)


def stroke(character: str) -> bytes:
    """A key down and up, within shift where a US keyboard needs it."""
    code = KEYS[character]
    if isinstance(code, int):
        return key(code, 1) + key(code, 0)
    return key(42, 1) + key(code[0], 1) + key(code[0], 0) + key(42, 0)


def typed(text: str) -> bytes:
    """A whole line, with its enter."""
    return b"".join(map(stroke, text)) + key(28, 1) + key(28, 0)


class Device(EventIO):
    """The read end of a pipe, read by evdev as it reads a device."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def close(self) -> None:
        """Close it."""
        os.close(self.fd)


@dataclass
class Bench:
    """A scanner that listens to a pipe, and what it delivered."""

    pipes: list[tuple[int, int]] = field(default_factory=list)
    scans: "queue.SimpleQueue[Scan]" = field(default_factory=queue.SimpleQueue)

    def plug(self, _pattern: str) -> Device:
        """A new device."""
        self.pipes.append(os.pipe())
        return Device(self.pipes[-1][0])

    def write(self, content: bytes) -> None:
        """Type on the device that is plugged in."""
        os.write(self.pipes[-1][1], content)

    def unplug(self) -> None:
        """No more events."""
        os.close(self.pipes[-1][1])

    def scan(self) -> Scan:
        """The next scan."""
        return self.scans.get(timeout=PATIENCE_S)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A running scanner."""
    made = Bench()
    scanner = HandScanner("a pipe", Held(), grab=made.plug)
    scanner.start(made.scans.put)
    yield made
    scanner.stop()
    made.unplug()


def test_what_it_types_is_a_scan(bench: Bench) -> None:
    """Capitals, digits and every sign of a voucher's alphabet, whatever else people print."""
    bench.write(typed(TEXT))
    found = bench.scan()
    assert (found.reading.text, found.scanner, found.reading.step) == (TEXT, "usb", "usb")


def test_the_same_line_within_ten_seconds_is_the_same_scan(bench: Bench) -> None:
    """A scanner on a stand repeats what it sees."""
    bench.write(typed(TEXT) + typed(TEXT) + typed("other"))
    assert [bench.scan().reading.text for _ in range(2)] == [TEXT, "other"]


def test_a_line_of_which_keys_were_lost_is_no_code(bench: Bench) -> None:
    """The kernel says that its buffer ran over; half a voucher must not be called damaged."""
    bench.write(typed(TEXT)[:480] + event(0, 3, 0) + typed("REST") + typed("NEXT"))
    assert bench.scan().reading.unread is Unread.NO_CODE
    assert bench.scan().reading.text == "NEXT"


def test_it_may_be_unplugged_and_plugged_in_again(bench: Bench) -> None:
    """It is taken again by itself."""
    bench.write(typed("FIRST"))
    assert bench.scan().reading.text == "FIRST"
    bench.unplug()
    wait_until(lambda: len(bench.pipes) == 2, "it is taken again")
    bench.write(typed("SECOND"))
    assert bench.scan().reading.text == "SECOND"


def test_the_table_of_keys_is_the_kernels() -> None:
    """Each letter, digit and sign stands where the kernel's own names say."""
    names = {"space": " ", "minus": "-", "equal": "=", "dot": ".", "slash": "/", "comma": ",", "semicolon": ";",
             "kpslash": "/", "kpasterisk": "*", "kpplus": "+", "kpminus": "-", "kpdot": "."}  # fmt: skip
    names |= {letter: letter for letter in "abcdefghijklmnopqrstuvwxyz0123456789"}
    names |= {f"kp{digit}": str(digit) for digit in range(10)}
    for name, character in names.items():
        assert PLAIN[ecodes.ecodes[f"KEY_{name.upper()}"]] == character, name
    assert [SHIFTED[ecodes.ecodes[f"KEY_{key}"]] for key in ("4", "5", "8", "EQUAL", "SEMICOLON", "A")] == list(
        "$%*+:A"
    )


def test_which_device_it_is_must_be_clear(tmp_path: Path) -> None:
    """None, several and one that is no keyboard are told apart in words."""
    pattern = str(tmp_path / "*-event-kbd")
    with pytest.raises(ConfigError, match="plugged in"):
        grab(pattern)
    for name in ("a", "b"):
        (tmp_path / f"{name}-event-kbd").touch()
    with pytest.raises(ConfigError, match="several"):
        grab(pattern)
    with pytest.raises(ConfigError, match="group input"):
        HandScanner(pattern.replace("*", "a"), Held()).start(print)
