"""What the person at the door reads: one line at a time, on the terminal and in `door.txt`."""

import sys
import time
from collections import deque
from pathlib import Path
from typing import TextIO

from iot_client.log import clean

KEPT = 20


class Screen:
    """Says lines; the file holds the last twenty, newest last."""

    def __init__(self, path: Path, terminal: TextIO | None = None) -> None:
        self._path = path
        self._terminal = terminal if terminal is not None else sys.stdout
        self._lines: deque[str] = deque(maxlen=KEPT)

    def say(self, mark: str, text: str) -> None:
        """One line; `mark` is a sign that is seen from afar."""
        line = f"{time.strftime('%H:%M:%S')}  {mark} {clean(text)}"
        self._lines.append(line)
        print(line, file=self._terminal, flush=True)
        draft = self._path.with_name(f".{self._path.name}")
        draft.write_text("\n".join(self._lines) + "\n")
        draft.replace(self._path)

    def step(self, text: str) -> None:
        """Something goes on."""
        self.say("·", text)

    def yes(self, text: str) -> None:
        """Good news."""
        self.say("✔", text)

    def no(self, text: str) -> None:
        """A refusal."""
        self.say("✘", text)
