"""What the terminal shows: chapters, sentences, facts, refusals."""

import sys
from dataclasses import dataclass, field
from typing import TextIO

BOLD, DIM, GREEN, RED, PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m"


@dataclass
class Narrator:
    """Writes the story for a person who sees it for the first time; colours only on a terminal."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    chapters: int = 0

    def chapter(self, title: str) -> None:
        """Begin the next chapter."""
        self.chapters += 1
        self._write(f"\n{self._paint(BOLD, f'{self.chapters}. {title}')}")

    def say(self, sentence: str) -> None:
        """Tell one thing that happened."""
        self._write(f"   {sentence}")

    def fact(self, name: str, value: object) -> None:
        """Show one value under what was said."""
        self._write(f"     {self._paint(DIM, f'{name:<22}')} {value}")

    def good(self, sentence: str) -> None:
        """Tell what went as it should."""
        self._write(f"   {self._paint(GREEN, '✓')} {sentence}")

    def refused(self, what: str, reason: str) -> None:
        """Tell what was refused, as it should be, and in whose words."""
        self._write(f"   {self._paint(GREEN, '✓')} {what}: refused")
        self._write(f"     {self._paint(DIM, reason)}")

    def trouble(self, sentence: str) -> None:
        """Tell what went wrong; its further lines stand below the first."""
        first, *more = sentence.splitlines() or [""]
        self._write(f"   {self._paint(RED, '✗')} {first}")
        for line in more:
            self._write(f"     {line}")

    def _paint(self, code: str, text: str) -> str:
        return f"{code}{text}{PLAIN}" if self.out.isatty() else text

    def _write(self, line: str) -> None:
        self.out.write(f"{line}\n")
        self.out.flush()
