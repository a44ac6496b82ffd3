"""A gate on a Raspberry Pi's pins, through gpiozero.

Wiring (BCM numbers from the configuration): the lock's relay on an output, active high, so that it locks without
current; the door's reed contact between its pin and ground, closed while the door is shut; lamps and buzzer on outputs.
Off the Pi `GPIOZERO_PIN_FACTORY=mock` takes the hardware's place.
"""

import threading
import time
from dataclasses import dataclass

from gpiozero import LED, Button, Buzzer, GPIOZeroError, OutputDevice  # type: ignore[import-untyped]

from iot_client.errors import GateError
from iot_client.gate import GateState, Listener


@dataclass(frozen=True)
class Pins:
    """Which pin does what; `None` is not wired."""

    lock: int
    sensor: int | None = None
    green: int | None = None
    red: int | None = None
    buzzer: int | None = None


class PinGate:
    """Relay, sensor, lamps."""

    def __init__(self, pins: Pins, pulse_s: float) -> None:
        self._pulse_s = pulse_s
        self._listeners: list[Listener] = []
        self._relock: threading.Timer | None = None
        try:
            self._lock = OutputDevice(pins.lock, active_high=True, initial_value=False)
            self._sensor = None if pins.sensor is None else Button(pins.sensor, pull_up=True, bounce_time=0.05)
            self._green = None if pins.green is None else LED(pins.green)
            self._red = None if pins.red is None else LED(pins.red)
            self._buzzer = None if pins.buzzer is None else Buzzer(pins.buzzer)
        except GPIOZeroError as error:
            raise GateError(f"a pin cannot be used: {error}. Look at the pins in config.toml.") from error
        if self._sensor is not None:
            self._sensor.when_pressed = self._tell
            self._sensor.when_released = self._tell

    @property
    def state(self) -> GateState | None:
        """From the relay and the sensor; without a sensor a relay at rest is all that is known."""
        energised = bool(self._lock.value)
        if self._sensor is None:
            return GateState.UNLOCKING if energised else GateState.LOCKED
        if not self._sensor.is_pressed:
            return GateState.OPEN
        return GateState.UNLOCKING if energised else GateState.LOCKED

    @property
    def senses(self) -> bool:
        """Whether the reed contact is wired."""
        return self._sensor is not None

    def listen(self, listener: Listener) -> None:
        """Call this on every change."""
        self._listeners.append(listener)

    def pulse(self) -> None:
        """Energise the relay; a timer lets go."""
        try:
            self._lock.on()
        except GPIOZeroError as error:
            raise GateError(f"the lock's relay cannot be driven: {error}") from error
        self._relock = threading.Timer(self._pulse_s, self._let_go)
        self._relock.daemon = True
        self._relock.start()
        self._tell()

    def show(self, accepted: bool) -> None:
        """Green for two seconds, or red with a beep."""
        lamp = self._green if accepted else self._red
        if lamp is not None:
            lamp.blink(on_time=2, n=1)
        if not accepted and self._buzzer is not None:
            self._buzzer.beep(on_time=0.2, n=2)

    def close(self) -> None:
        """Lock, and let go of the pins."""
        if self._relock is not None:
            self._relock.cancel()
        self._lock.off()
        for device in (self._lock, self._sensor, self._green, self._red, self._buzzer):
            if device is not None:
                device.close()

    def _let_go(self) -> None:
        self._lock.off()
        # The bolt needs a moment; only then is a shut door a locked one.
        time.sleep(0.05)
        self._tell()

    def _tell(self) -> None:
        state = self.state
        for listener in tuple(self._listeners):
            listener(state)
