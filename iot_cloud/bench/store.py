"""The shadow store, empty and full: what an update costs without any network."""

import random
import statistics
import tempfile
import time
from pathlib import Path

from iot_cloud.shadow.document import Document
from iot_cloud.shadow.service import Shadows
from iot_cloud.shadow.store import ShadowStore
from iot_cloud.shadow.topics import Operation, ShadowTopic


def store(rows: int, rounds: int) -> dict[str, float]:
    """Milliseconds an update takes with few things and with `rows` things."""
    with tempfile.TemporaryDirectory() as folder:
        kept = ShadowStore(Path(folder) / "shadows.sqlite")
        empty = _percentile(kept, rounds, 100)
        kept.write_many((f"thing-{number}", "", Document(version=1, exists=True)) for number in range(rows))
        full = _percentile(kept, rounds, rows)
        kept.close()
    return {"rows": rows, "empty_p99_ms": empty, "full_p99_ms": full, "p99_ratio": round(full / empty, 2)}


def _percentile(kept: ShadowStore, rounds: int, things: int) -> float:
    shadows = Shadows(kept, lambda _messages: None, lambda _thing: None)
    taken = []
    for number in range(rounds):
        topic = ShadowTopic(f"thing-{random.randrange(things)}", "", Operation.UPDATE)  # noqa: S311
        started = time.perf_counter()
        shadows.carry_out(topic, b'{"state": {"desired": {"n": %d}}}' % number)
        taken.append((time.perf_counter() - started) * 1000)
    return round(statistics.quantiles(taken, n=100)[98], 3)
