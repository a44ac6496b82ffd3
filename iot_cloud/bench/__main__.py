"""`python -m iot_cloud.bench [--rounds N] [--things N] [--rows N]`: each figure is a JSON line."""

import argparse
import sys
from collections.abc import Iterator

from iot_cloud.bench.crowd import crowd
from iot_cloud.bench.figure import Figure
from iot_cloud.bench.latency import latency, throughput
from iot_cloud.bench.stand import Stand
from iot_cloud.bench.store import store


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(prog="python -m iot_cloud.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3000, help="updates whose delta is timed")
    parser.add_argument("--things", type=int, default=5000, help="devices connected at once")
    parser.add_argument("--rows", type=int, default=100_000, help="shadows in the full store")
    options = parser.parse_args()
    for figure in _figures(options):
        figure.tell()
    return 0


def _figures(options: argparse.Namespace) -> Iterator[Figure]:
    yield from store(options.rows, options.rounds)
    with Stand.build(options.things) as stand:
        yield from latency(stand, options.rounds)
        yield from throughput(stand, options.rounds)
        yield from crowd(stand)


if __name__ == "__main__":
    sys.exit(main())
