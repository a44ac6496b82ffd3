"""What the documentation claims and what the tests show must agree."""

from pathlib import Path

from scripts.check_claims import PROPERTIES, marked_rows, missing, problems, table_rows, unshown

TABLE = """
| row | claim | done |
|---|---|---|
| B1 | nodes share one genesis | yes |
| M3 M17 | outsiders are refused | |
"""


def test_table_is_read_with_its_marks() -> None:
    """A line may hold several rows; only `yes` marks them done."""
    assert table_rows(TABLE) == {"B1": True, "M3": False, "M17": False}


def test_the_projects_own_table_is_readable() -> None:
    """docs/requirements.md has the rows that the design asks for."""
    rows = table_rows(Path("docs/requirements.md").read_text())
    assert {"B1", "B26", "M23", "I5", "T9", "N11"} <= rows.keys()


def test_markers_are_found_on_functions_and_modules() -> None:
    """Decorators and `pytestmark` count alike."""
    source = 'import pytest\npytestmark = pytest.mark.row("B1")\n@pytest.mark.row("M3", "M17")\ndef test_x(): ...\n'
    assert set(marked_rows(source)) == {"B1", "M3", "M17"}


def test_an_unknown_row_is_reported() -> None:
    """A typing error in a marker does not pass for a proof."""
    found = problems(table_rows(TABLE), {"tests/a.py": {"B1", "B99"}})
    assert found == ["tests/a.py: docs/requirements.md has no row B99"]


def test_a_done_row_without_a_test_is_reported() -> None:
    """A row cannot be marked done by word alone."""
    assert problems(table_rows(TABLE), {}) == ["docs/requirements.md: B1 is marked done, and no test names it"]


def test_a_page_cannot_name_a_test_that_is_not_there() -> None:
    """Neither one of another file nor one that was renamed."""
    sources = {"tests/a.py": "def test_x() -> None: ..."}
    text = "`tests/a.py::test_x` shows it, `tests/a.py::test_y` and `tests/b.py::test_x` do not."
    assert missing("docs/p.md", text, sources) == [
        "docs/p.md: there is no tests/a.py::test_y",
        "docs/p.md: there is no tests/b.py::test_x",
    ]


def test_each_property_of_security_names_a_test() -> None:
    """The page has all six; one whose line is gone, or names no test, is reported."""
    page = Path("docs/security.md").read_text()
    assert unshown(page) == []
    for name in PROPERTIES:
        report = [f"docs/security.md: no test is named for {name}"]
        lines = page.splitlines()
        assert unshown("\n".join(line for line in lines if not line.startswith(f"| {name} |"))) == report
        assert unshown("\n".join(f"| {name} | argued |" if f"| {name} |" in line else line for line in lines)) == report
