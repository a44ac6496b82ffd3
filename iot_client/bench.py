"""`python -m iot_client.bench`: how fast a picture is read, and what the journal of a door says of its releases.

Prints one JSON object a line: bench, figure, value, unit, baseline, baseline_is, ratio, target, spread. The figures of
releases come from the marks in the journals under the run folder and are left out where there are none.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
import qrcode
from PIL import Image

from iot_client.bench_process import measure
from iot_client.journal import Journal, Key, Record, Sending
from iot_client.machine import Event, State
from iot_client.scanner.decode import read_code
from iot_client.scanner.picture import open_picture
from iot_client.settings import home

TEXT = "LADING:1:" + "A0" * 88
RUNS = 40

Figure = dict[str, object]


def figure(name: str, values: Iterable[float], target: str = "") -> Figure | None:
    """The median in milliseconds and its spread, or nothing where nothing was measured."""
    found = sorted(values)
    if not found:
        return None
    spread = f"{found[0]:.1f} … {found[-1]:.1f}, n = {len(found)}"
    return {"bench": "pi", "figure": name, "value": round(statistics.median(found), 3), "unit": "ms", "baseline": None,
            "baseline_is": None, "ratio": None, "target": target, "spread": spread}  # fmt: skip


def picture(angle: float) -> bytes:
    """A JPEG of 1280 x 960 with a turned barcode on a grey table."""
    maker = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4, box_size=7)
    maker.add_data(TEXT, optimize=0)
    maker.make()
    code = maker.make_image().get_image().convert("L").rotate(angle, expand=True, fillcolor=190)
    table = Image.new("L", (1280, 960), 190)
    table.paste(code, ((1280 - code.width) // 2, (960 - code.height) // 2))
    kept = BytesIO()
    table.save(kept, "JPEG", quality=85)
    return kept.getvalue()


def reading() -> list[float]:
    """Milliseconds from a picture's bytes to its text."""
    pictures = [picture(float(angle)) for angle in np.linspace(0, 350, RUNS)]
    return [_timed(lambda content=content: _read(content)) for content in pictures]  # type: ignore[misc]


def _read(content: bytes) -> None:
    if read_code(open_picture(content)).text != TEXT:
        raise AssertionError("the benchmark's own barcode was not read")


def commits(entries: int) -> list[float]:
    """Milliseconds of an intent's commit in a journal that has this many entries."""
    with tempfile.TemporaryDirectory(dir=home() if home().is_dir() else None) as folder:
        journal = Journal(Path(folder) / "journal.sqlite")
        _fill(journal, entries)
        keys = [Key(1, f"0x{number:040x}", 1) for number in range(RUNS)]
        for number, key in enumerate(keys):
            record = Record(key, State.CONSUMED, "0x", 0.0, 0.0, 0.0)
            journal.begin(record, Sending(10**6 + number, "release", key.sale, 1, "0x", b"", 0.0), {})
        spent = [_timed(lambda key=key: _intend(journal, key)) for key in keys]  # type: ignore[misc]
        journal.close()
        return spent


def _intend(journal: Journal, key: Key) -> None:
    journal.move(key, Event.OPEN_WANTED, State.INTENT, {"event": "release"})


def _fill(journal: Journal, entries: int) -> None:
    with journal.commit() as db:
        db.executemany(
            "INSERT INTO scan (at, scanner, name, remote, sale, outcome, detail, ms) VALUES (?,?,?,?,?,?,?,?)",
            [(0.0, "inbox", "", 1, "0x", "not-paid", "", 1.0)] * entries,
        )
        db.executemany(
            "INSERT INTO release VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            [(1, f"0x{number:040x}", 0, "completed", "0x", 0.0, 0.0, 0.0, "{}", 0, "") for number in range(entries)],
        )
        db.executemany(
            "INSERT INTO sending VALUES (?,?,?,?,?,?,?,1)",
            [(number, "release", f"0x{number:040x}", 0, "0x", b"", 0.0) for number in range(entries)],
        )


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1e3


def releases() -> list[dict[str, float]]:
    """The marks of every completed release in the journals of the run folder."""
    found: list[dict[str, float]] = []
    for path in sorted((home() / "pi").glob("*/journal.sqlite")):
        journal = Journal(path, read_only=True)
        found += [record.marks for record in journal.releases() if record.state is State.COMPLETED]
        journal.close()
    return found


def main() -> int:
    """Measure and print."""
    marks = releases()
    figures = [
        figure("picture of 1280 x 960 to text", reading(), "<= 40"),
        figure("commit of an intent (fsync), empty journal", commits(0)),
        figure("commit of an intent (fsync), 10,000 entries", commits(10_000)),
        figure("barcode to ownership verified", (one["verify"] for one in marks if "verify" in one), "<= 40"),
        figure("proof accepted to pulse", _between(marks, "consumed", "actuated"), "<= 10"),
        figure("  of it the intent's fsync", (one["intent_fsync"] for one in marks if "intent_fsync" in one)),
        figure("scan to open without the chain's part", _without_chain(marks)),
        figure("blocks and confirmations", _between(marks, "sent", "consumed")),
    ]
    for line in [*figures, *process()]:
        if line is not None:
            print(json.dumps(line, ensure_ascii=False))
    return 0


def process() -> list[Figure]:
    """Start and memory of the whole Pi; the pictures are those that every step of reading is tried on in vain, too."""
    blank = BytesIO()
    Image.new("L", (4_000, 3_000), 190).save(blank, "JPEG")
    found = measure([picture(0.0), picture(30.0), blank.getvalue()])
    return [
        _plain("start to ready", found.ready_s, "s", "<= 3"),
        _plain("memory at rest", found.rest_mb, "MB", ""),
        _plain("memory, peak with pictures", found.peak_mb, "MB", "<= 180"),
    ]


def _plain(name: str, value: float, unit: str, target: str) -> Figure:
    return {"bench": "pi", "figure": name, "value": round(value, 2), "unit": unit, "baseline": None,
            "baseline_is": None, "ratio": None, "target": target, "spread": ""}  # fmt: skip


def _between(marks: list[dict[str, float]], first: str, last: str) -> list[float]:
    return [one[last] - one[first] for one in marks if first in one and last in one]


def _without_chain(marks: list[dict[str, float]]) -> list[float]:
    needed = {"sensed", "consumed", "sent"}
    return [one["sensed"] - (one["consumed"] - one["sent"]) for one in marks if needed <= one.keys()]


if __name__ == "__main__":
    sys.exit(main())
