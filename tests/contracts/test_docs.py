"""What the documentation shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.contracts.nodes import ROOT, anvil


def test_the_example_in_the_documentation_runs_as_it_stands(tmp_path: Path) -> None:
    """And prints what its comments say."""
    text = (ROOT / "docs" / "contracts.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    expected = re.findall(r"^ *print\(.*\)  # (.*)$", example, re.MULTILINE)
    with anvil(tmp_path) as node:
        done = subprocess.run(
            [sys.executable, "-c", example.replace("http://127.0.0.1:8545", node.url)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert (done.returncode, done.stdout.splitlines()) == (0, expected), done.stderr
