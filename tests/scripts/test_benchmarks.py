"""Figures, their targets, kept runs, what moved, and the pages written from a run."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from scripts.benchmarks.__main__ import main
from scripts.benchmarks.compare import moved
from scripts.benchmarks.figure import Figure
from scripts.benchmarks.page import fill, write
from scripts.benchmarks.run import Run, load, store


def run(*figures: Figure) -> Run:
    """A run of these figures."""
    return Run({figure.bench: f"then, {figure.bench}, on a machine" for figure in figures}, figures)


@pytest.mark.parametrize(
    ("target", "met"),
    [
        ("≤ 10 ms", True),
        ("<= 9.9 ms", False),
        ("≥ 10", True),
        (">= 1,000", False),
        ("≤ 2.0 of plain", True),
        ("≥ 2 of plain", True),
        ("≤ 1.9 of plain", False),
        ("<= 0", False),
        ("", None),
    ],
)
def test_a_target_is_of_the_value_or_of_the_ratio(target: str, met: bool | None) -> None:
    """`of` speaks of the ratio; a figure without a limit is not judged."""
    assert Figure("pi", "pulse", 10.0, "ms", ratio=2.0, target=target).met is met


@pytest.mark.parametrize(("value", "target", "met"), [(0, "<= 0", True), (1, "<= 0", False), (0, ">= 1", False)])
def test_nothing_is_a_value_like_others(value: float, target: str, met: bool) -> None:
    """No failed read is allowed; none served is not enough."""
    assert Figure("gateway", "reads", value, target=target).met is met


@pytest.mark.parametrize("target", ["as low as can be", "at most 3 x", "0", "all"])
def test_a_target_that_nobody_could_judge_is_refused(target: str) -> None:
    """It would look like one that is met."""
    with pytest.raises(ValueError, match="is no target"):
        Figure.read("pi", {"figure": "pulse", "value": 1, "target": target})


def test_a_line_without_a_value_is_no_figure() -> None:
    """Nothing is made up for it."""
    with pytest.raises(KeyError):
        Figure.read("pi", {"figure": "pulse"})


def test_a_kept_run_is_read_back(tmp_path: Path) -> None:
    """With its machine and moment; a file of something else is refused by name."""
    kept = run(Figure("pi", "pulse", 8.5, "ms", 4.0, "bare", 2.1, "≤ 10 ms", "7 to 9"), Figure("web", "pages", 3))
    store(kept, tmp_path / "run.json")
    assert load(tmp_path / "run.json") == kept
    for text in ("{}", "[[", "[" * 100_000):
        (tmp_path / "other.json").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=r"other\.json holds no run"):
            load(tmp_path / "other.json")


def test_a_run_that_cannot_be_kept_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the kept run stays whole and no draft lies about."""
    kept = tmp_path / "benchmarks.json"
    store(run(Figure("web", "pages", 3)), kept)
    before = kept.read_text()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        store(run(Figure("web", "pages", 4)), kept)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("benchmarks.json", before)]


def test_modules_that_were_not_measured_keep_their_figures() -> None:
    """In the order in which they are always shown."""
    stored = run(Figure("gas", "buy", 1), Figure("pi", "pulse", 1), Figure("web", "pages", 1))
    whole = Run({"pi": "now"}, (Figure("pi", "pulse", 2),)).with_others(stored)
    assert whole.taken == stored.taken | {"pi": "now"}
    assert [(figure.bench, figure.value) for figure in whole.figures] == [("gas", 1), ("pi", 2), ("web", 1)]


def test_what_moved_beyond_noise_is_told() -> None:
    """A ratio counts before its value; new and gone figures are named; other modules are not."""
    before = run(
        Figure("pi", "a", 10.0), Figure("pi", "b", 10.0, ratio=1.0), Figure("pi", "c", 1), Figure("gas", "d", 1)
    )
    after = run(Figure("pi", "a", 12.0), Figure("pi", "b", 20.0, ratio=1.1), Figure("pi", "e", 1))
    assert list(moved(before, after)) == [
        ("pi: a", "10", "12", "+20%"),
        ("pi: e", "", "1", "new"),
        ("pi: c", "1", "", "gone"),
    ]


def test_a_page_gets_the_tables_it_asks_for_and_keeps_the_rest() -> None:
    """What stood between the marks is replaced; a bench that was not measured stays."""
    page = "# Pi\n\n<!-- bench pi -->\nold\n<!-- end -->\n\nText.\n\n<!-- bench web -->\nkept\n<!-- end -->\n"
    filled = fill(page, run(Figure("pi", "pulse | beat", 8.5, "ms", target="≤ 10 ms")))
    assert "old" not in filled
    assert "| pulse \\| beat | 8.500 ms |  |  |  | ≤ 10 ms ✓ |" in filled
    assert filled.endswith("Text.\n\n<!-- bench web -->\nkept\n<!-- end -->\n")
    assert fill(filled, run(Figure("pi", "pulse | beat", 8.5, "ms", target="≤ 10 ms"))) == filled


def test_everything_is_written_once(tmp_path: Path) -> None:
    """The page, its plot and the folders' tables; a second time nothing changes."""
    (tmp_path / "pi.md").write_text("<!-- bench pi -->\n<!-- end -->\n", encoding="utf-8")
    measured = run(Figure("pi", "pulse", 8.5, "ms", target="≤ 10 ms"))
    assert {path.name for path in write(measured, tmp_path)} == {"pi.md", "benchmarks.md", "benchmarks.svg"}
    assert "pi: pulse" in (tmp_path / "pictures/benchmarks.svg").read_text(encoding="utf-8")
    assert write(measured, tmp_path) == []


def test_wrong_usage_is_said_before_anything_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown module, a file that is not there."""
    with pytest.raises(SystemExit) as ended:
        main(["petrol"])
    assert ended.value.code == 2
    assert "there is no petrol; there are gas," in capsys.readouterr().err
    assert main(["--compare", str(tmp_path / "none.json"), "gas"]) == 2
    assert "nothing was measured" in capsys.readouterr().err


def test_drawing_leaves_no_finder_in_the_way_of_imports() -> None:
    """Pygal's own makes every later import warn."""
    assert all(hasattr(finder, "find_spec") for finder in sys.meta_path)
