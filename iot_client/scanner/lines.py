"""Lines on standard input: a serial scanner behind a pipe, or a person who tries a door."""

import threading
import time
from typing import TextIO

from iot_client.scanner import Reading, Scan, Sink
from iot_client.scanner.held import Held

MAX_LINE = 8_192


class LineScanner:
    """Each line of a stream is one scan; the same line within ten seconds is the same one."""

    def __init__(self, stream: TextIO, held: Held, name: str = "lines") -> None:
        self._stream = stream
        self._name = name
        self._held = held
        self._stopped = False

    def start(self, sink: Sink) -> None:
        """Begin to read lines."""
        threading.Thread(target=self._read, args=(sink,), name=f"scanner-{self._name}", daemon=True).start()

    def stop(self) -> None:
        """Deliver nothing more; the thread ends with the stream."""
        self._stopped = True

    def _read(self, sink: Sink) -> None:
        while line := self._stream.readline(MAX_LINE):
            text = line.strip()
            if self._stopped:
                return
            if text and self._held.is_new(text, time.monotonic()):
                sink(Scan(Reading(text, step="line"), self._name, started_ns=time.monotonic_ns()))
