"""A gate without hardware. What it is lives in `gate.json`, so that it outlives the process as a real door would.

The file holds the mode and the last pulse; the state follows from them and the time. Modes: `ok`, `jam` (the bolt
sticks before it opens), `stick` (unlocks, the door stays shut), `late` (opens after `late_s`), `blind` (no sensor).
Beside it `gate.log` has a line for each pulse and each opening; one that a crash repeats has the same number.
"""

import json
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from iot_client.gate import GateState, Listener


@dataclass(frozen=True)
class Timing:
    """How long each part of an opening takes, in seconds."""

    unlock_s: float = 0.05
    open_s: float = 2.0
    lock_s: float = 0.1
    late_s: float = 1.0


@dataclass(frozen=True)
class Door:
    """The physical facts: counts never go back."""

    mode: str = "ok"
    pulses: int = 0
    openings: int = 0
    pulsed_at: float = 0.0
    counted: bool = True


def state_of(door: Door, timing: Timing, now: float) -> GateState | None:
    """What the door is at this time; pure."""
    if door.pulses == 0:
        return GateState.LOCKED
    since = now - door.pulsed_at
    if door.mode == "jam":
        return GateState.JAMMED if since >= timing.unlock_s else GateState.UNLOCKING
    opens = _opens_after(door, timing)
    if since < opens:
        return GateState.UNLOCKING
    if since < opens + timing.open_s:
        return GateState.UNLOCKING if door.mode == "stick" else GateState.OPEN
    return GateState.LOCKING if since < opens + timing.open_s + timing.lock_s else GateState.LOCKED


def has_opened(door: Door, timing: Timing, now: float) -> bool:
    """Whether the last pulse has opened the door by this time, even if nobody looked; pure."""
    if door.pulses == 0 or door.mode in {"jam", "stick"}:
        return False
    return now - door.pulsed_at >= _opens_after(door, timing)


def with_mode(door: Door, mode: str) -> Door:
    """The door in this mode; what stayed shut while it jammed or stuck does not open when it is mended; pure."""
    return replace(door, mode=mode, counted=door.counted or door.mode in {"jam", "stick"})


def _opens_after(door: Door, timing: Timing) -> float:
    return timing.unlock_s + (timing.late_s if door.mode == "late" else 0.0)


class SimulatedGate:
    """A door in a file, with a thread that tells what its sensor sees."""

    EVERY_S = 0.02

    def __init__(self, path: Path, timing: Timing | None = None) -> None:
        self._path = path
        self._timing = timing or Timing()
        self._lock = threading.Lock()
        self._door = read_door(path)
        self._listeners: list[Listener] = []
        self._shown: GateState | None = None
        self._stop = threading.Event()
        self._refresh()
        self._thread = threading.Thread(target=self._watch, name="gate", daemon=True)
        self._thread.start()

    @property
    def state(self) -> GateState | None:
        """What the door is now; a blind one knows only the lock."""
        state = state_of(self._door, self._timing, time.time())
        if self.senses:
            return state
        return state if state in {GateState.LOCKED, GateState.UNLOCKING} else None

    @property
    def senses(self) -> bool:
        """Whether the sensor is there."""
        return self._door.mode != "blind"

    def listen(self, listener: Listener) -> None:
        """Call this on every change."""
        self._listeners.append(listener)

    def pulse(self) -> None:
        """Unlock: written to the file first, as the current flows first."""
        with self._lock:
            door = read_door(self._path)
            self._door = replace(door, pulses=door.pulses + 1, pulsed_at=time.time(), counted=False)
            self._note("pulse", self._door.pulses, self._door.pulsed_at)
            self._save()

    def show(self, accepted: bool) -> None:
        """A simulated gate has no lamp."""

    def close(self) -> None:
        """End the thread; the door in the file stays."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _watch(self) -> None:
        while not self._stop.wait(self.EVERY_S):
            self._refresh()

    def _refresh(self) -> None:
        with self._lock:
            self._follow_mode()
            opened = not self._door.counted and has_opened(self._door, self._timing, time.time())
            if opened:
                self._door = replace(self._door, openings=self._door.openings + 1, counted=True)
                self._note("opened", self._door.openings, self._door.pulsed_at)
                self._save()
        if opened and self.senses:
            # A real contact interrupts; this thread may have come too late to see the door open.
            self._show(GateState.OPEN)
        self._show(self.state)

    def _show(self, seen: GateState | None) -> None:
        if seen is self._shown:
            return
        self._shown = seen
        with self._lock:
            self._save()
        for listener in tuple(self._listeners):
            listener(seen)

    def _follow_mode(self) -> None:
        """A person or a test changes the mode in the file while the gate runs."""
        mode = read_door(self._path).mode
        if mode != self._door.mode:
            self._door = with_mode(self._door, mode)

    def _note(self, what: str, number: int, pulsed_at: float) -> None:
        """A line of the log, before the file says so."""
        with self._path.with_suffix(".log").open("a") as log:
            log.write(json.dumps({"what": what, "number": number, "pulsed_at": pulsed_at}) + "\n")

    def _save(self) -> None:
        write_door(self._path, self._door, self.state)


def read_door(path: Path) -> Door:
    """The door as the file has it; a new one is locked."""
    try:
        facts = json.loads(path.read_text())
    except FileNotFoundError:
        return Door()
    return Door(**{name: facts[name] for name in Door.__dataclass_fields__ if name in facts})


def write_door(path: Path, door: Door, state: GateState | None = GateState.LOCKED) -> None:
    """Replace the file in one step."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{threading.get_ident()}")
    draft.write_text(json.dumps({"state": state, **asdict(door)}, indent=1) + "\n")
    draft.replace(path)


def set_mode(path: Path, mode: str) -> None:
    """Make the door jam, stick, answer late, go blind, or work again."""
    write_door(path, with_mode(read_door(path), mode))
