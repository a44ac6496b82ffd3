"""`python -m tests.e2e.auditor FOLDER`: audits a run folder whose chain runs; exit status 1 on any finding."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.e2e.auditor.report import report
from tests.e2e.auditor.rules import findings
from tests.e2e.auditor.sources import read_books


def main() -> int:
    """Read, judge, tell."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.e2e.auditor",
        description="Audits a run folder whose chain runs, all else at rest; exit status 1 on any finding.",
    )
    parser.add_argument("folder", type=Path, help="the run folder (LADING_HOME)")
    folder = parser.parse_args().folder
    if not (folder / "chain" / "ready.json").exists():
        print(f"auditor: no chain runs in {folder}", file=sys.stderr)
        return 1
    books = read_books(folder)
    found = findings(books)
    print(report(books, found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
