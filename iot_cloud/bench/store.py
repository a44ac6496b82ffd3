"""The shadow store, empty and full: what an update costs without any network."""

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from iot_cloud.bench.figure import Figure, percentile, spread
from iot_cloud.shadow.document import Document
from iot_cloud.shadow.service import Shadows
from iot_cloud.shadow.store import ShadowStore
from iot_cloud.shadow.topics import Operation, ShadowTopic

FEW = 100


def store(rows: int, rounds: int) -> Iterator[Figure]:
    """Updates of few things and of `rows` things, in turns, so that both meet the same machine."""
    taken: dict[int, list[float]] = {FEW: [], rows: []}
    with tempfile.TemporaryDirectory() as folder:
        stores = {things: ShadowStore(Path(folder) / f"{things}.sqlite") for things in taken}
        stores[rows].write_many((f"thing-{number}", "", Document(version=1, exists=True)) for number in range(rows))
        services = {
            things: Shadows(kept, lambda _messages: None, lambda _thing: None) for things, kept in stores.items()
        }
        for number in range(rounds):
            for things, shadows in services.items():
                taken[things].append(_update(shadows, random.randrange(things), number))  # noqa: S311
        for kept in stores.values():
            kept.close()
    yield Figure(
        f"update in a store of {rows:,} shadows, p99",
        percentile(taken[rows], 99),
        "ms",
        percentile(taken[FEW], 99),
        f"of {FEW}",
        f"<= 2 of {FEW}",
        spread(taken[rows], 99),
    )


def _update(shadows: Shadows, thing: int, number: int) -> float:
    topic = ShadowTopic(f"thing-{thing}", "", Operation.UPDATE)
    started = time.perf_counter()
    shadows.carry_out(topic, b'{"state": {"desired": {"n": %d}}}' % number)
    return (time.perf_counter() - started) * 1000
