"""Options and order of the whole suite: rows, long settings, fast tests first, a folder in one process."""

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

from contracts.recursion import keep_guard

if TYPE_CHECKING:
    from xdist.remote import Producer

MINUTE_S = 60
LONG_S = 3 * 3600

keep_guard()  # whichever folders share this process, deep JSON meets the limit that each command has


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what scripts/test passes on."""
    group = parser.getgroup("lading")
    group.addoption("--row", metavar="ROW", help="only tests that prove this row of docs/requirements.md")
    group.addoption("--long", action="store_true", help="the long settings as well")
    group.addoption("--fast", action="store_true", help="without the slow tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what was asked for; files without a slow test come first."""
    wanted = [item for item in items if _wanted(config, item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(wanted)])
    if config.getoption("--long"):
        for item in wanted:
            item.add_marker(pytest.mark.timeout(LONG_S))
    slow_files = {item.path for item in wanted if item.get_closest_marker("slow")}
    items[:] = sorted(wanted, key=lambda item: item.path in slow_files)


def _wanted(config: pytest.Config, item: pytest.Item) -> bool:
    row = config.getoption("--row")
    if row and row not in rows_of(item):
        return False
    if item.get_closest_marker("long") and not config.getoption("--long"):
        return False
    return not (config.getoption("--fast") and item.get_closest_marker("slow"))


class ByFolder(LoadScopeScheduling):
    """A folder shares its services: its tests run in one process; xdist's `loadgroup` does nothing under pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        # A browser's tests share no service with the rest of their folder: a group of their own spreads better.
        return _folder(nodeid) + (" in a browser" if "/test_browser" in nodeid else "")


def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> ByFolder:
    """Spread folders, not tests."""
    return ByFolder(config, log)


def _folder(nodeid: str) -> str:
    return "/".join(nodeid.split("::", maxsplit=1)[0].split("/")[:2])


def rows_of(item: pytest.Item) -> set[str]:
    """Return the rows of docs/requirements.md that a test says it proves."""
    return {row for marker in item.iter_markers("row") for row in marker.args}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what each folder cost, so that one sees where the suite's time goes."""
    seconds = Counter[str]()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[_folder(report.nodeid)] += report.duration
    if sum(seconds.values()) > MINUTE_S:
        terminalreporter.write_sep("=", "minutes by folder")
        for folder, spent in seconds.most_common():
            terminalreporter.write_line(f"{spent / MINUTE_S:5.1f}  {folder}")
