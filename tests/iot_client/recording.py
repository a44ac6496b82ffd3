"""What the door's screen shows for a success and for every refusal, each from a picture that was held up.

    python -m tests.iot_client.recording

runs the tests that hold them up and writes docs/door.md from what the doors said meanwhile.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from iot_client.reasons import LINES, Refusal

KEPT_IN = "LADING_RECORDING"
SUCCESS = "success"
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "door.md"
TESTS = ("test_release.py", "test_refusals.py", "test_reasons.py")
SALE = re.compile(r"0x[0-9a-fA-F]{40}")
NOTICE = re.compile(r"\d\d:\d\d:\d\d  [·✔✘!] ")
HEAD = """# What the door says

Written by `python -m tests.iot_client.recording`: each part is what a running door's screen showed while a picture was
held up to it. The times of day are the run's; addresses are shortened. The page at the door (`door_page`, see
[pi.md](pi.md)) shows the same words, one notice at a time.

"""


@contextmanager
def recorded(name: str, says: Callable[[], str]) -> Iterator[None]:
    """Keep what the door says meanwhile, where a recording is made."""
    before = says()
    yield
    folder = os.environ.get(KEPT_IN)
    if folder:
        (Path(folder) / name).write_text(says().removeprefix(before))


def page(kept: dict[str, str]) -> str:
    """The recording as a page: success first, then each refusal in the order of `iot_client/reasons.py`."""
    missing = [name for name in (SUCCESS, *Refusal) if not kept.get(name)]
    if missing:
        raise SystemExit(f"not recorded: {', '.join(missing)}")
    parts = [f"## {name}\n\n```\n{_shortened(kept[name])}```\n" for name in (SUCCESS, *Refusal)]
    return HEAD + "\n".join(parts)


def _shortened(said: str) -> str:
    """The door's own lines, without what the log says on the same terminal; addresses by both ends."""
    lines = "".join(f"{line}\n" for line in said.splitlines() if NOTICE.match(line))
    return SALE.sub(lambda found: f"{found[0][:6]}…{found[0][-4:]}", lines)


def is_said(refusal: Refusal, text: str) -> bool:
    """Whether this text has the refusal's part, and in it why and what to do."""
    _, _, rest = text.partition(f"## {refusal}\n")
    part, line = rest.partition("\n## ")[0], LINES[refusal]
    return line.says in part and line.do in part


def main() -> int:
    """Hold every picture up and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        tests = [f"tests/iot_client/{name}" for name in TESTS]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *tests], cwd=ROOT, env=os.environ | {KEPT_IN: folder}, check=False
        )
        if done.returncode:
            return done.returncode
        PAGE.write_text(page({path.name: path.read_text() for path in Path(folder).iterdir()}))
    print(PAGE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
