"""python -m proxy.bench: one JSON line a figure."""

import argparse
import json
import sys

from proxy.bench import faults, speed


def main() -> int:
    """Measure speed, memory and faults."""
    parser = argparse.ArgumentParser(prog="python -m proxy.bench", description=__doc__)
    parser.add_argument("--upstream", help="URL of a node; without it a trivial one is started")
    parser.add_argument("--to", help="the contract that is called")
    parser.add_argument("--data", help="the call's data")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each round")
    parser.add_argument("--only", choices=["speed", "faults"])
    options = parser.parse_args()
    body = speed.call_of(options.to, options.data) if options.to and options.data else speed.DEFAULT_CALL
    if options.only != "faults":
        for figure in speed.measure(options.upstream, body, options.rounds, options.seconds):
            print(json.dumps(figure), flush=True)
    if options.only != "speed":
        for figure in faults.measure():
            print(json.dumps(figure), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
