"""`python -m webapp.bench`: index, pages, outbox, batch, listeners, memory and costs as JSON lines; needs anvil."""

import sys
import tempfile
from pathlib import Path

from webapp.bench import costing, exploring, listening, reading, sending


def main() -> int:
    """Run all."""
    with tempfile.TemporaryDirectory(prefix="lading-bench") as name:
        folder = Path(name)
        reading.catch_up(folder)
        reading.market(folder)
        exploring.pages(folder)
        sending.measure(folder)
        listening.measure(folder)
        costing.measure(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
