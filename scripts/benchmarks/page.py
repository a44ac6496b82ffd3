"""A run written into the documentation: one page of everything with a plot, and each folder's table on its own page."""

import re
import sys
from pathlib import Path
from typing import Final

import pygal
from pygal.style import CleanStyle

from scripts.benchmarks.figure import Figure
from scripts.benchmarks.run import MODULES, Run

# Where a page wants the figures of a bench: everything between these two lines is written from a run.
_PLACE: Final = "<!-- bench {bench} -->\n"
_END: Final = "<!-- end -->"
_HEAD: Final = ("figure", "value", "spread", "baseline", "ratio", "target")
_INTRODUCTION: Final = """# Benchmarks

Written by `scripts/bench --write`, each part from one run; `scripts/bench --compare` shows what moved since. A ratio
is of the value to its baseline in the same run, so it holds on other machines; a plain value holds on this one.
"""
# pygal leaves a finder of the kind that Python 3.12 dropped in the way of every later import; its plugins are not used.
sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]

_GREEN: Final = "#5fa777"
_RED: Final = "#d06a5c"
_PLOT: Final = "![How much of what each target allows is used](pictures/benchmarks.svg)\n"


def markdown(figures: tuple[Figure, ...]) -> str:
    """The figures as a table."""
    rows = (_HEAD, *(figure.cells() for figure in figures))
    head, *lines = ("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
    return "\n".join((head, "|---|---:|---:|---:|---:|---:|", *lines)) + "\n"


def fill(text: str, run: Run) -> str:
    """The page with the tables that it asks for; what the run did not measure stays as it was."""
    for bench in MODULES:
        figures = run.of(bench)
        place = _PLACE.format(bench=bench)
        if figures and place in text:
            table = f"{place}\nMeasured {run.taken[bench]}.\n\n{markdown(figures)}\n{_END}"
            text = re.sub(f"{re.escape(place)}.*?{_END}", lambda _, table=table: table, text, flags=re.DOTALL)
    return text


def overview(run: Run) -> str:
    """The page of everything."""
    tables = (
        f"## {bench}\n\nMeasured {run.taken[bench]}.\n\n{markdown(run.of(bench))}" for bench in MODULES if run.of(bench)
    )
    return "\n".join((_INTRODUCTION, _PLOT, *tables))


def plot(run: Run) -> str:
    """A bar a figure that has a target, green when it is met: how much of what the target allows is used."""
    shares = [(figure, share) for figure in run.figures if (share := figure.share) is not None][::-1]
    chart = pygal.HorizontalBar(
        style=CleanStyle(value_font_size=11, label_font_size=11, title_font_size=14), show_legend=False, js=[],
        height=80 + 22 * len(shares), width=900, truncate_label=60, print_values=True, disable_xml_declaration=True,
        title="How much of what the target allows is used", value_formatter=lambda value: f"{value:.0f} %",
    )  # fmt: skip
    chart.x_labels = [f"{figure.bench}: {figure.figure}" for figure, _ in shares]
    chart.add("share", [{"value": 100 * share, "color": _GREEN if share <= 1 else _RED} for _, share in shares])
    chart.uuid = "benchmarks"  # otherwise every drawing would differ
    drawn: str = chart.render()
    return re.sub(r"<!--.*?-->", "", drawn)


def write(run: Run, docs: Path) -> list[Path]:
    """Write everything under `docs`; return what changed."""
    (docs / "pictures").mkdir(exist_ok=True)
    pages = {page: fill(page.read_text(encoding="utf-8"), run) for page in sorted(docs.glob("*.md"))}
    pages[docs / "benchmarks.md"] = overview(run)
    pages[docs / "pictures/benchmarks.svg"] = plot(run)
    changed = [page for page, text in pages.items() if not page.exists() or page.read_text(encoding="utf-8") != text]
    for page in changed:
        page.write_text(pages[page], encoding="utf-8")
    return changed
