"""The lock and what its sensor sees, behind one interface; unknown is `None`, never a guess."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol


class GateState(StrEnum):
    """What a gate can be, worst first."""

    JAMMED = "JAMMED"
    OPEN = "OPEN"
    UNLOCKING = "UNLOCKING"
    LOCKING = "LOCKING"
    LOCKED = "LOCKED"


Listener = Callable[[GateState | None], None]


class Gate(Protocol):
    """Something that can be unlocked for a moment."""

    @property
    def state(self) -> GateState | None:
        """What is known now, without I/O; `None` is unknown."""

    @property
    def senses(self) -> bool:
        """Whether a door sensor is there, so that OPEN is seen and not supposed."""

    def listen(self, listener: Listener) -> None:
        """Call this on every change, on the gate's own thread."""

    def pulse(self) -> None:
        """Unlock for the configured time; returns when the lock was energised."""

    def show(self, accepted: bool) -> None:
        """Light and sound for the person: yes or no."""

    def close(self) -> None:
        """Let go of the hardware; the lock stays as it is, locked when without current."""
