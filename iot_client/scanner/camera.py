"""A camera: OpenCV takes the picture, the decoder reads it."""

import threading
import time

import cv2
import numpy as np

from iot_client.errors import ConfigError
from iot_client.scanner import Scan, Sink, Unread
from iot_client.scanner.decode import by_zbar, read_code
from iot_client.scanner.held import Held

EVERY_S = 0.1


class CameraScanner:
    """Looks ten times a second and is silent while nobody holds a code up."""

    def __init__(self, index: int = 0, name: str = "camera") -> None:
        self._index = index
        self._name = name
        self._held = Held()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, sink: Sink) -> None:
        """Open the camera and begin to look."""
        camera = cv2.VideoCapture(self._index)
        if not camera.isOpened():
            raise ConfigError(f"camera {self._index} cannot be opened: is it connected, and is nothing else using it?")
        self._thread = threading.Thread(target=self._look, args=(camera, sink), name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the camera."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _look(self, camera: cv2.VideoCapture, sink: Sink) -> None:
        while not self._stop.wait(EVERY_S):
            taken, frame = camera.read()
            if taken:
                self._read(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), dtype=np.uint8), sink)
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
