"""Scanners: what they read, and what they refuse before reading."""

import io
import queue
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iot_client.scanner import Reading, Scan, Unread
from iot_client.scanner.crop import busy_part
from iot_client.scanner.decode import read_code
from iot_client.scanner.folder import FolderScanner, scan_file
from iot_client.scanner.held import Held
from iot_client.scanner.lines import LineScanner
from iot_client.scanner.picture import MAX_BYTES, RefusedPictureError, open_picture
from tests.iot_client.pictures import code, photo, save, save_code

TEXT = "LADING:1:" + "A0" * 88
PATIENCE_S = 60


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes whose header claims a huge picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


def test_a_clean_picture_is_read_by_the_first_step() -> None:
    """Zbar alone reads what is clean."""
    assert read_code(photo(code(TEXT))) == Reading(TEXT, step="zbar")


@pytest.mark.parametrize("degrees", [17, 45, 90, 180, 273])
def test_any_rotation_is_read(degrees: int) -> None:
    """People hold a telephone as it comes."""
    turned = np.asarray(Image.fromarray(photo(code(TEXT))).rotate(degrees, fillcolor=190), dtype=np.uint8)
    assert read_code(turned).text == TEXT


def test_an_inverted_code_is_read() -> None:
    """A telephone in dark mode shows white on black."""
    assert read_code(np.asarray(255 - photo(code(TEXT)), dtype=np.uint8)).text == TEXT


def test_two_codes_are_said() -> None:
    """Two different codes in view are not guessed between."""
    assert read_code(photo(code(TEXT, 4), code(TEXT.replace("A0", "B1"), 4))).unread is Unread.TWO_CODES


def test_the_same_code_twice_is_one() -> None:
    """A receipt that is seen twice, say in a mirror, is one receipt."""
    assert read_code(photo(code(TEXT, 4), code(TEXT, 4))).text == TEXT


def test_nothing_is_said_to_be_nothing() -> None:
    """An empty table has no code."""
    assert read_code(photo()).unread is Unread.NO_CODE


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_code_in_a_corner_is_read_and_the_table_is_not(corner: tuple[int, int]) -> None:
    """Wherever it lies, the code is within the part that is looked at, and most of the bare table is not."""
    table, sheet = np.full((960, 1280), 190, dtype=np.uint8), code(TEXT, 4)
    top, left = (corner[0] * (960 - sheet.shape[0]), corner[1] * (1280 - sheet.shape[1]))
    table[top : top + sheet.shape[0], left : left + sheet.shape[1]] = sheet
    assert read_code(table) == Reading(TEXT, step="zbar")
    assert busy_part(table).size < 2 * sheet.size


def test_codes_in_opposite_corners_are_two() -> None:
    """Nothing between the first and the last busy place is cut away."""
    table = np.full((960, 1280), 190, dtype=np.uint8)
    for at, text in ((np.s_[:228, :228], TEXT), (np.s_[-228:, -228:], TEXT.replace("A0", "B1"))):
        table[at] = code(text, 4)[:228, :228]
    assert read_code(table).unread is Unread.TWO_CODES


def test_a_faint_code_beside_something_glaring_is_read_from_the_whole() -> None:
    """What is looked at first is the busiest part; the whole picture comes last."""
    table = np.full((960, 1280), 120, dtype=np.uint8)
    faint = (code(TEXT, 4) // 10 + 110).astype(np.uint8)
    table[100 : 100 + faint.shape[0], 100 : 100 + faint.shape[1]] = faint
    table[700:900:2, 900:1200] = 255
    assert read_code(table) == Reading(TEXT, step="whole")


@pytest.mark.parametrize("size", [(20_000, 20_000), (200_000, 300)])
def test_a_picture_bomb_is_refused_by_its_header(size: tuple[int, int]) -> None:
    """A few hundred bytes that would be 400 megapixels are never decoded."""
    with pytest.raises(RefusedPictureError) as refused:
        open_picture(bomb(*size))
    assert refused.value.unread is Unread.TOO_LARGE


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    """A file above the limit is refused by its size."""
    path = tmp_path / "long.png"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert scan_file(path).reading.unread is Unread.TOO_LARGE


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7", bytes(4_096), bomb(9, 9)])
def test_what_is_no_picture_is_said(content: bytes) -> None:
    """Empty, truncated and foreign files are refused in words."""
    with pytest.raises(RefusedPictureError) as refused:
        open_picture(content)
    assert refused.value.unread is Unread.NOT_A_PICTURE


def test_a_transparent_code_lies_on_white() -> None:
    """A PNG with an alpha channel is read as a page shows it."""
    grey = code(TEXT)
    image = Image.merge("LA", (Image.new("L", (grey.shape[1], grey.shape[0]), 0), Image.fromarray(255 - grey)))
    kept = io.BytesIO()
    image.save(kept, "PNG")
    assert read_code(open_picture(kept.getvalue())).text == TEXT


def test_an_inbox_reads_once_and_deletes(tmp_path: Path) -> None:
    """The picture is a bearer right: it does not stay, and what is half written is left alone."""
    scans: queue.SimpleQueue[Scan] = queue.SimpleQueue()
    scanner = FolderScanner(tmp_path, "inbox", remote=True, delete=True)
    (tmp_path / ".half.png").write_bytes(b"half")
    scanner.start(scans.put)
    save_code(TEXT, tmp_path / "upload-1.png")
    scan = scans.get(timeout=PATIENCE_S)
    scanner.stop()
    assert (scan.reading.text, scan.name, scan.remote) == (TEXT, "upload-1.png", True)
    assert [path.name for path in tmp_path.iterdir()] == [".half.png"]


def test_an_inbox_follows_no_links(tmp_path: Path) -> None:
    """A link in the inbox is not a picture that somebody sent."""
    save_code(TEXT, tmp_path / "elsewhere" / "a.png")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "link.png").symlink_to(tmp_path / "elsewhere" / "a.png")
    assert FolderScanner(inbox, "inbox")._arrived() == []


def test_a_folder_of_images_is_read_once_each(tmp_path: Path) -> None:
    """Still images stay where they are and are read once."""
    save(photo(code(TEXT)), tmp_path / "a.png")
    scanner = FolderScanner(tmp_path, "images")
    assert [path.name for path in scanner._arrived()] == ["a.png"]
    assert scanner._arrived() == []


def test_lines_are_scans() -> None:
    """Each line is a scan, and the same line again within ten seconds is not."""
    scans: queue.SimpleQueue[Scan] = queue.SimpleQueue()
    LineScanner(io.StringIO(f"{TEXT}\n\n{TEXT}\nother\n"), Held()).start(scans.put)
    assert [scans.get(timeout=PATIENCE_S).reading.text for _ in range(2)] == [TEXT, "other"]


def test_a_code_held_for_ten_seconds_is_one_scan() -> None:
    """Every sight prolongs the scan; ten seconds without one end it."""
    held = Held()
    seen = [held.is_new("a", at) for at in (0, 4, 9, 13, 22.9)]
    assert seen == [True, False, False, False, False]
    assert held.is_new("a", 33)
    assert held.is_new("b", 34)


def test_another_code_in_between_does_not_make_it_a_new_scan() -> None:
    """Two scanners of a door see two people's codes in turn; each is one scan."""
    held = Held()
    assert [held.is_new(text, at) for at, text in enumerate("abab")] == [True, True, False, False]
