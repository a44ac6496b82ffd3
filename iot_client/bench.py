"""`python -m iot_client.bench`: a door measured whole, over real nodes, gateway and cloud that it starts for itself.

Prints one JSON object a line: bench, figure, value, unit, baseline, baseline_is, ratio, target, spread. Half of the
releases are made with an empty journal, half with one of 10,000 entries.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import qrcode
from PIL import Image

from contracts.proof import collect
from contracts.rpc import rpc_of
from iot_client.bench_process import running
from iot_client.bench_world import Shop, shop
from iot_client.journal import Journal
from iot_client.scanner.decode import read_code
from iot_client.scanner.picture import open_picture

TEXT = "LADING:1:" + "A0" * 88
RUNS = 40
RELEASES = 7
ENTRIES = 10_000

Figure = dict[str, object]
Marks = list[dict[str, float]]


@dataclass(frozen=True)
class Lived:
    """What one life of a door showed."""

    ready_s: float
    rest_mb: float
    peak_mb: float
    marks: Marks


def figure(name: str, values: Iterable[float], target: str = "", over: Iterable[float] = ()) -> Figure:
    """The median in milliseconds and its spread, and how it stands to that of an empty journal."""
    found, base = sorted(values), sorted(over)
    median = statistics.median(found)
    line = _plain(name, median, "ms", target) | {"spread": f"{found[0]:.1f} … {found[-1]:.1f}, n = {len(found)}"}
    if base:
        baseline = round(statistics.median(base), 3)
        line |= {"baseline": baseline, "baseline_is": "empty journal", "ratio": round(median / baseline, 2)}
    return line


def _plain(name: str, value: float, unit: str, target: str = "") -> Figure:
    return {"bench": "pi", "figure": name, "value": round(value, 3 if unit == "ms" else 2), "unit": unit,
            "baseline": None, "baseline_is": None, "ratio": None, "target": target, "spread": ""}  # fmt: skip


def picture(text: str, angle: float) -> bytes:
    """A JPEG of 1280 x 960 with a turned barcode on a grey table."""
    maker = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4, box_size=7)
    maker.add_data(text, optimize=0)
    maker.make()
    code = maker.make_image().get_image().convert("L").rotate(angle, expand=True, fillcolor=190)
    table = Image.new("L", (1280, 960), 190)
    table.paste(code, ((1280 - code.width) // 2, (960 - code.height) // 2))
    kept = BytesIO()
    table.save(kept, "JPEG", quality=85)
    return kept.getvalue()


def reading() -> list[float]:
    """Milliseconds from a picture's bytes to its text."""
    pictures = [picture(TEXT, float(angle)) for angle in np.linspace(0, 350, RUNS)]
    return [_timed(partial(_read, content)) for content in pictures]


def _read(content: bytes) -> None:
    if read_code(open_picture(content)).text != TEXT:
        raise AssertionError("the benchmark's own barcode was not read")


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1e3


def answers(at: Shop) -> list[float]:
    """Milliseconds for the questions of one verification through the gateway, nothing made of their answers."""
    call, sale = rpc_of(at.through), at.bench.sale.address
    depth = len(at.bench.sealers) // 2
    return [_timed(lambda: collect(call, sale, depth)) for _ in range(RUNS)]


def live(at: Shop, first: int, pictures: Iterable[bytes] = ()) -> Lived:
    """Start the door, make releases, show it these pictures, stop it."""
    receipts = [(sale.address, picture(at.receipt(sale), 30.0)) for sale in at.sold(RELEASES, first)]
    with running(at.door) as door:
        rest = door.peak_mb
        marks = [door.release(*receipt) for receipt in receipts]
        for content in pictures:
            door.show(content)
        return Lived(door.ready_s, rest, door.peak_mb, marks)


def fill(path: Path) -> None:
    """Ten thousand scans, releases and transactions of days gone by."""
    journal = Journal(path)
    with journal.commit() as db:
        db.executemany(
            "INSERT INTO scan (at, scanner, name, remote, sale, outcome, detail, ms) VALUES (?,?,?,?,?,?,?,?)",
            [(0.0, "inbox", "", 1, "0x", "not-paid", "", 1.0)] * ENTRIES,
        )
        db.executemany(
            "INSERT INTO release VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            [(1, f"0x{number:040x}", 0, "completed", "0x", 0.0, 0.0, 0.0, "{}", 0, "") for number in range(ENTRIES)],
        )
        db.executemany(
            "INSERT INTO sending VALUES (?,?,?,?,?,?,?,1)",
            [(-1 - number, "release", f"0x{number:040x}", 0, "0x", b"", 0.0) for number in range(ENTRIES)],
        )
    journal.close()


def main() -> int:
    """Measure and print."""
    blank = BytesIO()
    Image.new("L", (4_000, 3_000), 190).save(blank, "JPEG")
    read = reading()
    with shop() as at:
        asked = answers(at)
        new = live(at, 0)
        fill(at.door / "journal.sqlite")
        # The blank picture is one that every step of reading is tried on in vain.
        old = live(at, RELEASES, [blank.getvalue()])
    for line in [*figures(read, asked, new.marks, old.marks), *process(new, old)]:
        print(json.dumps(line, ensure_ascii=False))
    return 0


def figures(read: list[float], asked: list[float], new: Marks, old: Marks) -> list[Figure]:
    """The scan's path and the release's, each part apart; the chain's and the network's parts too."""
    wire = statistics.median(asked)
    return [
        figure("picture of 1280 x 960 to text", read),
        figure("picture to owned, through the gateway", owned(new)),
        figure("  of it the gateway's and the node's answers", asked),
        figure("picture to owned, without the answers", (max(one - wire, 0.0) for one in owned(new)), "<= 40"),
        figure("picture to owned, 10,000 entries in the journal", owned(old), over=owned(new)),
        figure("proof accepted to pulse, through the cloud", pulse(new), "<= 10"),
        figure("  the intent's fsync, which comes on top", fsync(new)),
        figure("proof accepted to pulse, 10,000 entries", pulse(old), over=pulse(new)),
        figure("blocks until it is proven (the chain's time)", between(new, "sent", "consumed")),
        figure("scan to open without the chain's time", without_chain(new)),
    ]


def process(new: Lived, old: Lived) -> list[Figure]:
    """Start and memory."""
    return [
        _plain("start to ready", new.ready_s, "s", "<= 3"),
        _plain("start to ready, 10,000 entries in the journal", old.ready_s, "s", "<= 3"),
        _plain("memory once it serves", new.rest_mb, "MB"),
        _plain("memory, peak with releases and a blank picture of 12 megapixels", old.peak_mb, "MB", "<= 180"),
    ]


def owned(marks: Marks) -> list[float]:
    """From the picture to the verified ownership."""
    return [one["read"] + one["verify"] for one in marks]


def pulse(marks: Marks) -> list[float]:
    """From the accepted proof to the pulse, without the fsync."""
    return [one["actuated"] - one["consumed"] - one["intent_fsync"] for one in marks]


def fsync(marks: Marks) -> list[float]:
    """What the disk took to keep the intent."""
    return [one["intent_fsync"] for one in marks]


def between(marks: Marks, first: str, last: str) -> list[float]:
    """From one mark to another."""
    return [one[last] - one[first] for one in marks]


def without_chain(marks: Marks) -> list[float]:
    """From the scan to the open gate, less what the chain took."""
    return [one["sensed"] - (one["consumed"] - one["sent"]) for one in marks]


if __name__ == "__main__":
    sys.exit(main())
