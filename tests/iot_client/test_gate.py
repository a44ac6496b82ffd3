"""Gates: the simulated one and gpiozero's, behind one interface."""

import json
import threading
import time
from pathlib import Path

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from iot_client.gate import GateState
from iot_client.gate.pins import PinGate, Pins
from iot_client.gate.simulated import Door, SimulatedGate, Timing, read_door, set_mode, state_of, write_door

TIMING = Timing(unlock_s=0.1, open_s=1.0, lock_s=0.1, late_s=2.0)
PATIENCE_S = 60


@pytest.mark.parametrize(
    ("mode", "since", "state"),
    [
        ("ok", 0.05, "UNLOCKING"), ("ok", 0.5, "OPEN"), ("ok", 1.15, "LOCKING"), ("ok", 1.3, "LOCKED"),
        ("stick", 0.5, "UNLOCKING"), ("stick", 1.3, "LOCKED"), ("late", 0.5, "UNLOCKING"), ("late", 2.5, "OPEN"),
        ("jam", 0.05, "UNLOCKING"), ("jam", 9.0, "JAMMED"),
    ],
)  # fmt: skip
def test_the_door_follows_from_its_last_pulse(mode: str, since: float, state: str) -> None:
    """What it is depends on mode and time alone, so it outlives any process."""
    assert state_of(Door(mode=mode, pulses=1, pulsed_at=100.0), TIMING, 100.0 + since) == state


def test_a_mended_gate_has_not_opened(tmp_path: Path) -> None:
    """What stayed shut while it jammed is not counted as an opening once it works again."""
    path = tmp_path / "gate.json"
    write_door(path, Door(mode="jam", pulses=1, pulsed_at=time.time() - 60, counted=False))
    set_mode(path, "ok")
    SimulatedGate(path, TIMING).close()
    assert read_door(path).openings == 0
    assert not path.with_suffix(".log").exists()


def test_a_pulse_opens_and_is_counted(tmp_path: Path) -> None:
    """Every change is told, and the file holds the counts."""
    gate = SimulatedGate(tmp_path / "gate.json", Timing(0.02, 0.2, 0.05))
    seen: list[GateState | None] = []
    locked = threading.Event()

    def listen(state: GateState | None) -> None:
        seen.append(state)
        if state is GateState.LOCKED:
            locked.set()

    gate.listen(listen)
    gate.pulse()
    assert locked.wait(PATIENCE_S)
    gate.close()
    facts = json.loads((tmp_path / "gate.json").read_text())
    assert (facts["state"], facts["pulses"], facts["openings"]) == ("LOCKED", 1, 1)
    log = [json.loads(line) for line in (tmp_path / "gate.log").read_text().splitlines()]
    assert [(line["what"], line["number"]) for line in log] == [("pulse", 1), ("opened", 1)]
    assert GateState.OPEN in seen


def test_an_opening_that_nobody_saw_is_counted(tmp_path: Path) -> None:
    """A door that opened while no process looked has opened all the same."""
    path = tmp_path / "gate.json"
    write_door(path, Door(pulses=1, pulsed_at=time.time() - 60, counted=False))
    gate = SimulatedGate(path, TIMING)
    gate.close()
    assert (read_door(path).openings, gate.state) == (1, GateState.LOCKED)


@pytest.mark.row("N10")
def test_a_blind_gate_does_not_guess(tmp_path: Path) -> None:
    """Without a sensor it is unknown whether the door is open."""
    set_mode(tmp_path / "gate.json", "blind")
    gate = SimulatedGate(tmp_path / "gate.json", Timing(unlock_s=0.0, open_s=60.0))
    assert not gate.senses
    gate.pulse()
    state = gate.state
    gate.close()
    assert state is None


@pytest.fixture
def pins() -> MockFactory:
    """Gpiozero's own mock pins."""
    Device.pin_factory = MockFactory()
    return Device.pin_factory


def test_the_relay_locks_again_by_itself(pins: MockFactory) -> None:
    """A pulse energises the relay; a timer lets go, and the shut door is locked."""
    gate = PinGate(Pins(lock=17, sensor=27), pulse_s=0.05)
    pins.pin(27).drive_low()
    assert gate.state is GateState.LOCKED
    relocked = threading.Event()
    gate.listen(lambda state: relocked.set() if state is GateState.LOCKED else None)
    gate.pulse()
    assert pins.pin(17).state
    assert gate.state is GateState.UNLOCKING
    assert relocked.wait(PATIENCE_S)
    assert not pins.pin(17).state
    gate.close()


def test_the_reed_contact_shows_open(pins: MockFactory) -> None:
    """The contact opens with the door, and listeners hear of it."""
    gate = PinGate(Pins(lock=17, sensor=27, green=5, red=6, buzzer=13), pulse_s=30)
    pins.pin(27).drive_low()
    opened = threading.Event()
    gate.listen(lambda state: opened.set() if state is GateState.OPEN else None)
    gate.pulse()
    pins.pin(27).drive_high()
    assert opened.wait(PATIENCE_S)
    assert gate.state is GateState.OPEN
    gate.show(False)
    assert pins.pin(6).state
    gate.close()


def test_without_a_contact_nothing_is_sensed(pins: MockFactory) -> None:
    """A relay at rest is all that is known."""
    gate = PinGate(Pins(lock=17), pulse_s=1)
    assert (gate.senses, gate.state) == (False, GateState.LOCKED)
    gate.close()
