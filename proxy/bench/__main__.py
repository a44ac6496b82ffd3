"""python -m proxy.bench: one JSON line a figure."""

import argparse
import json
import sys

from proxy.bench import faults, speed


def main() -> int:
    """Measure speed, memory and faults."""
    parser = argparse.ArgumentParser(prog="python -m proxy.bench", description=__doc__)
    parser.add_argument("--only", choices=["speed", "faults"])
    options = parser.parse_args()
    for module in (speed, faults):
        if options.only in {None, module.__name__.rpartition(".")[2]}:
            for figure in module.measure():
                print(json.dumps(figure.as_json()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
