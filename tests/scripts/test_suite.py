"""The suite's own scheduler: `tests/conftest.py` keeps a folder's tests in one process."""

import re
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_a_folder_runs_in_one_process() -> None:
    """Two processes and two groups: no group is spread over both, and both processes work."""
    groups = ("tests/test_signals.py", "tests/test_systemd.py")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "-v", *groups],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
    ran = re.findall(r"\[(gw\d)\] .* PASSED (tests/\w+\.py)", ended.stdout)
    assert sorted({group for _, group in ran}) == list(groups)
    assert len(set(ran)) == len({process for process, _ in ran}) == len(groups)
