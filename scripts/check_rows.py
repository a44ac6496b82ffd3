"""Compares docs/requirements.md with the row markers of the tests; prints what does not fit.

A test may name only rows that the table has, and a row marked done needs a test.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROW = re.compile(r"^\| ((?:[A-Z]\d+ ?)+)\|.*\| *(\w*) *\|$", re.MULTILINE)


def table_rows(text: str) -> dict[str, bool]:
    """Return every row of the table and whether it is marked done."""
    return {name: done == "yes" for names, done in ROW.findall(text) for name in names.split()}


def marked_rows(source: str) -> Iterator[str]:
    """Yield the rows that the `row` markers in a test file name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "row":
            yield from (str(arg.value) for arg in node.args if isinstance(arg, ast.Constant))


def problems(table: dict[str, bool], tests: dict[str, set[str]]) -> list[str]:
    """Return a line for every unknown row and for every done row without a test."""
    pairs = [(path, row) for path, rows in sorted(tests.items()) for row in sorted(rows)]
    named = {row for _, row in pairs}
    unknown = [f"{path}: docs/requirements.md has no row {row}" for path, row in pairs if row not in table]
    untested = [
        f"docs/requirements.md: {row} is marked done, and no test names it"
        for row, done in table.items()
        if done and row not in named
    ]
    return unknown + untested


def main() -> int:
    """Print the problems; exit status 1 if there are any."""
    table = table_rows((ROOT / "docs/requirements.md").read_text())
    if not table:
        sys.exit("docs/requirements.md: no table of rows found")
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    found = problems(table, {str(f.relative_to(ROOT)): set(marked_rows(f.read_text())) for f in files})
    sys.stdout.writelines(f"{line}\n" for line in found)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
