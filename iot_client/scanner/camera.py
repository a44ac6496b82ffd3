"""A camera: OpenCV takes the picture, the decoder reads it."""

import logging
import threading
import time

import cv2
import numpy as np

from iot_client.errors import ConfigError
from iot_client.scanner import Scan, Sink, Unread
from iot_client.scanner.decode import by_zbar, read_code
from iot_client.scanner.held import Held

log = logging.getLogger("iot_client")

EVERY_S = 0.1
BLIND_AFTER = 20


class CameraScanner:
    """Looks ten times a second and is silent while nobody holds a code up; opened again if it yields no picture."""

    def __init__(self, device: int | str, held: Held, name: str = "camera") -> None:
        self._device = device
        self._name = name
        self._held = held
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, sink: Sink) -> None:
        """Open the camera and begin to look; refuses to start without it."""
        camera = cv2.VideoCapture(self._device)
        if not camera.isOpened():
            raise ConfigError(f"camera {self._device} cannot be opened: is it connected, and is nothing else using it?")
        self._thread = threading.Thread(target=self._look, args=(camera, sink), name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the camera."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _look(self, camera: cv2.VideoCapture, sink: Sink) -> None:
        blind = 0
        while not self._stop.wait(EVERY_S):
            taken, frame = camera.read()
            blind = 0 if taken else blind + 1
            if taken:
                self._read(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), dtype=np.uint8), sink)
            elif blind % BLIND_AFTER == 0:
                log.warning("the camera yields no picture: opened again")
                camera.release()
                camera.open(self._device)
        camera.release()

    def _read(self, grey: np.typing.NDArray[np.uint8], sink: Sink) -> None:
        started = time.monotonic_ns()
        # An empty view must stay cheap: the mended pictures are tried only where a code seems to be.
        if not by_zbar(grey) and not cv2.QRCodeDetector().detect(grey)[0]:
            return
        reading = read_code(grey)
        if reading.unread is Unread.NO_CODE or not self._held.is_new(
            reading.text or str(reading.unread), time.monotonic()
        ):
            return
        sink(Scan(reading, self._name, started_ns=started, read_ms=(time.monotonic_ns() - started) / 1e6))
