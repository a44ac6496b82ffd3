"""`scripts/bench`: measure, print, keep, compare."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.benchmarks.compare import moved
from scripts.benchmarks.figure import Figure
from scripts.benchmarks.page import write
from scripts.benchmarks.run import MODULES, Run, load, measure, place, store

DOCS = Path(__file__).resolve().parents[2] / "docs"
STORED = DOCS / "benchmarks.json"


def main(argv: list[str] | None = None) -> int:
    """Measure what was named; exit status 1 if a module failed, 2 for wrong usage."""
    arguments = _arguments(argv)
    try:
        before = load(arguments.compare) if arguments.compare else None
        stored = load(STORED) if arguments.write and STORED.exists() else None
    except (OSError, ValueError) as error:
        sys.stderr.write(f"bench: nothing was measured: {error}\n")
        return 2
    run, failed = _measure(arguments.names or list(MODULES), as_json=arguments.json)
    if before:
        _print_moved(before, run)
    if arguments.write:
        failed = not _kept(run.with_others(stored) if stored else run) or failed
    return int(failed)


def _kept(run: Run) -> bool:
    try:
        store(run, STORED)
        changed = write(run, DOCS)
    except OSError as error:  # of a full disk
        sys.stderr.write(f"bench: measured as above, but not all of it is written: {error}\n")
        return False
    for page in changed:
        Console(stderr=True).print(f"written: {page.relative_to(DOCS.parent)}")
    return True


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", type=_known, metavar="NAME", help=", ".join(MODULES))
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of tables")
    parser.add_argument("--write", action="store_true", help="keep the run in docs/benchmarks.json and in the pages")
    parser.add_argument(
        "--compare", nargs="?", const=STORED, type=Path, metavar="FILE", help="show what moved since the stored run"
    )
    return parser.parse_args(argv)


def _known(name: str) -> str:
    if name not in MODULES:
        raise argparse.ArgumentTypeError(f"there is no {name}; there are {', '.join(MODULES)}")
    return name


def _measure(names: list[str], *, as_json: bool) -> tuple[Run, bool]:
    taken: dict[str, str] = {}
    measured: list[Figure] = []
    failed = False
    for name in names:
        taken[name] = place()
        figures, error = measure(name)
        measured += figures
        failed = failed or bool(error)
        _show(name, figures, as_json=as_json)
        if error:
            sys.stderr.write(f"{name}: the benchmark failed: {error}\n")
    return Run(taken, tuple(measured)), failed


def _show(name: str, figures: tuple[Figure, ...], *, as_json: bool) -> None:
    if as_json:
        lines = (json.dumps(figure.as_json(), ensure_ascii=False) for figure in figures)
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return
    rows = [figure.cells() for figure in figures]
    _print(name, ("figure", "value", "spread", "baseline", "ratio", "target"), rows)


def _print_moved(before: Run, run: Run) -> None:
    rows = list(moved(before, run))
    if rows:
        _print("moved since the stored run", ("figure", "before", "now", "change"), rows)
    else:
        Console().print("nothing moved beyond noise since the stored run")


def _print(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column == "figure" else "right")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
