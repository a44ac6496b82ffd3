"""What the person at the door reads: one line at a time, on the terminal, in `door.txt` and on the door's page."""

import sys
import time
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from iot_client.log import clean
from iot_client.reasons import LINES, Refusal

KEPT = 20


class Mark(StrEnum):
    """A sign that is seen from afar."""

    STEP = "·"
    YES = "✔"
    NO = "✘"
    NOTE = "!"


@dataclass(frozen=True)
class Notice:
    """What is said at a time: what, more of it, and what to do."""

    mark: Mark
    says: str
    detail: str = ""
    do: str = ""
    at: float = 0.0

    @property
    def line(self) -> str:
        """All of it in one line, with its time of day."""
        words = " ".join(word for word in (self.says, self.detail, self.do) if word)
        return f"{time.strftime('%H:%M:%S', time.localtime(self.at))}  {self.mark} {words}"


READY = Notice(Mark.STEP, "Ready: show your barcode.")
CLOUD_AWAY = Notice(Mark.NOTE, "The gate's cloud is away.", do="Please wait; receipts stay good.")


class Screen:
    """Says lines; the file holds the last twenty, newest last, `latest` is the newest.

    What is said while nobody is served is `idle`.
    """

    def __init__(self, path: Path, terminal: TextIO | None = None) -> None:
        self._path = path
        self._terminal = terminal if terminal is not None else sys.stdout
        self._lines: deque[str] = deque(maxlen=KEPT)
        self.idle = self.latest = READY

    def say(self, mark: Mark, says: str, detail: str = "", do: str = "") -> None:
        """One line."""
        self.latest = Notice(mark, clean(says), clean(detail), do, time.time())
        self._lines.append(self.latest.line)
        print(self.latest.line, file=self._terminal, flush=True)
        draft = self._path.with_name(f".{self._path.name}")
        draft.write_text("\n".join(self._lines) + "\n")
        draft.replace(self._path)

    def rest(self, idle: Notice) -> None:
        """Say this, now and whenever nobody is served."""
        self.idle = idle
        self.say(idle.mark, idle.says, idle.detail, idle.do)

    def step(self, says: str, detail: str = "", do: str = "") -> None:
        """Something goes on."""
        self.say(Mark.STEP, says, detail, do)

    def yes(self, says: str, detail: str = "", do: str = "") -> None:
        """Good news."""
        self.say(Mark.YES, says, detail, do)

    def no(self, refusal: Refusal, detail: str = "") -> None:
        """A refusal: why, and what to do."""
        line = LINES[refusal]
        self.say(Mark.NO, line.says, f"({detail})" if detail else "", line.do)
