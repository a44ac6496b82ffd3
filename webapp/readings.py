"""What the sensors of a device measured, from the cloud, thinned to what a chart can show."""

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from webapp.cloud import Cloud

KEEP = 20_000
AT_ONCE = 1_000
POINTS = 400
MOST_SENSORS = 12
WHEN_MAX = 4 * 10**9


@dataclass(frozen=True)
class Series:
    """One sensor's readings in the order of time."""

    sensor: str
    unit: str
    times: list[float]
    values: list[float]


@dataclass
class _Known:
    last: int = 0
    rows: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEEP))


class Readings:
    """Asks only for what is new."""

    def __init__(self, cloud: Cloud) -> None:
        """Ask this cloud."""
        self._cloud = cloud
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def of(self, thing: str) -> list[Series]:
        """Return each sensor's series.

        Raises:
            CloudError: the cloud does not answer.
        """
        with self._lock:
            known = self._known.setdefault(thing, _Known())
            while fresh := self._cloud.readings(thing, known.last, AT_ONCE):
                known.rows.extend(fresh)
                known.last = int(fresh[-1]["id"])
                if len(fresh) < AT_ONCE:
                    break
            return series_of(list(known.rows))


def series_of(rows: list[dict[str, Any]], points: int = POINTS) -> list[Series]:
    """Sort readings by sensor and time and thin them: of each stretch its lowest and highest stay."""
    by_sensor: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if not 0 < float(row["at"]) < WHEN_MAX:
            continue  # a clock that was never set
        by_sensor.setdefault(str(row.get("sensor")), []).append(row)
    found = []
    for sensor, mine in sorted(by_sensor.items())[:MOST_SENSORS]:
        mine.sort(key=lambda row: float(row["at"]))
        kept = _thinned([(float(row["at"]), float(row["value"])) for row in mine], points)
        found.append(
            Series(sensor, str(mine[-1].get("unit", "")), [at for at, _ in kept], [value for _, value in kept])
        )
    return found


def _thinned(points: list[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    if len(points) <= most:
        return points
    step = -(-2 * len(points) // most)
    kept: list[tuple[float, float]] = []
    for start in range(0, len(points), step):
        stretch = points[start : start + step]
        ends = {min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])}
        kept += sorted(ends)
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]
