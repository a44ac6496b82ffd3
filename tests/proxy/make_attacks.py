"""Writes the attack corpus, `tests/proxy/attacks/<group>/<case>.json`: python -m tests.proxy.make_attacks.

A case says who sends which bytes to which block, the status and body that must come back, and what the node may
see: nothing, or this body written anew. The expectations are stated here by hand, never taken from a gateway.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.proxy.attack_groups import bodies, calls, common_call, credentials, http
from tests.proxy.attack_groups.case import Case

FOLDER = Path(__file__).parent / "attacks"


def corpus() -> Iterator[Case]:
    """All cases of all groups."""
    for module in (bodies, calls, common_call, http, credentials):
        yield from module.cases()


def files() -> dict[str, str]:
    """Every case as a file, by its path under the corpus's folder."""
    written: dict[str, str] = {}
    for case in corpus():
        path = f"{case.group}/{case.name}.json"
        assert path not in written, f"two cases are called {path}"
        written[path] = _text(case.as_json())
    return written


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name, text in files().items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(text)
    sys.stdout.write(f"{len(files())} cases\n")
