"""Compares what the documentation claims with the tests; prints what does not fit.

A test may name only rows that docs/requirements.md has, a row marked done needs a test, and a test that a page names
(`tests/….py::test_…`) must exist. docs/security.md names at least one for each property.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROW = re.compile(r"^\| ((?:[A-Z]\d+ ?)+)\|.*\| *(\w*) *\|$", re.MULTILINE)

PROPERTIES = ("confidentiality", "integrity", "availability", "authenticity", "non-repudiation", "privacy")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


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


def missing(page: str, text: str, sources: dict[str, str]) -> list[str]:
    """Return a line for every test that a page names and that is not there."""
    return [
        f"{page}: there is no {path}::{name}"
        for path, name in NAMED.findall(text)
        if f"def {name}(" not in sources.get(path, "")
    ]


def unshown(text: str) -> list[str]:
    """Return a line for every property of security for which the page names no test."""
    shown = {line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|") and NAMED.search(line)}
    return [f"docs/security.md: no test is named for {name}" for name in PROPERTIES if name not in shown]


def main() -> int:
    """Print the problems; exit status 1 if there are any."""
    table = table_rows((ROOT / "docs/requirements.md").read_text())
    if not table:
        sys.exit("docs/requirements.md: no table of rows found")
    sources = {str(f.relative_to(ROOT)): f.read_text() for f in sorted((ROOT / "tests").rglob("test_*.py"))}
    found = problems(table, {path: set(marked_rows(source)) for path, source in sources.items()})
    for page in sorted((ROOT / "docs").rglob("*.md")):
        found += missing(str(page.relative_to(ROOT)), page.read_text(), sources)
    found += unshown((ROOT / "docs/security.md").read_text())
    sys.stdout.writelines(f"{line}\n" for line in found)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
