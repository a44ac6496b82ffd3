"""The list of selectors, as `python -m contracts selectors --json` writes it or plain."""

import json
from pathlib import Path

from proxy.material import read_selectors


def test_selectors_are_read_by_name_or_as_a_list(tmp_path: Path) -> None:
    """With or without 0x, in any case, each once."""
    path = tmp_path / "selectors.json"
    path.write_text(json.dumps({"abort()": "0x35a063b4", "buy()": "0xA6F2AE3A"}))
    assert read_selectors(path) == ("35a063b4", "a6f2ae3a")
    path.write_text(json.dumps(["0x35a063b4", "35A063B4"]))
    assert read_selectors(path) == ("35a063b4",)
