"""`python -m iot_cloud.bench [--rounds N] [--things N] [--rows N]`: each measurement is a JSON line."""

import argparse
import json
import sys

from iot_cloud.bench.crowd import crowd
from iot_cloud.bench.latency import latency, throughput
from iot_cloud.bench.stand import Stand
from iot_cloud.bench.store import store


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(prog="python -m iot_cloud.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000, help="updates whose delta is timed")
    parser.add_argument("--things", type=int, default=500, help="devices connected at once")
    parser.add_argument("--rows", type=int, default=100_000, help="shadows in the full store")
    options = parser.parse_args()
    _tell("shadow store", store(options.rows, options.rounds))
    with Stand.build(options.things) as stand:
        _tell("update to delta", latency(stand, options.rounds))
        _tell("updates", throughput(stand, options.rounds))
        _tell("connected things", crowd(stand))
    return 0


def _tell(name: str, figures: dict[str, float]) -> None:
    print(json.dumps({"bench": f"cloud: {name}"} | figures), flush=True)


if __name__ == "__main__":
    sys.exit(main())
