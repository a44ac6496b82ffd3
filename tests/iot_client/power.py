"""Power cuts: a process is killed and its journal loses whatever was not synced, as a disk's cache would."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("power.c")


def build(folder: Path) -> Path:
    """The library to load before libc."""
    made = folder / "power.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", made, SOURCE, "-ldl"], check=True)
    return made


def watched(folder: Path) -> dict[str, str]:
    """The environment that has what is synced in this folder kept."""
    kept = folder.parent / "kept"
    kept.mkdir(exist_ok=True)
    return {"POWER_WATCH": str(folder / "journal.sqlite"), "POWER_KEPT": str(kept)}


def cut(folder: Path) -> None:
    """Leave of the journal what was synced; a file that never was is gone, one that was removed stays so."""
    kept = folder.parent / "kept"
    for path in folder.glob("journal.sqlite*"):
        path.unlink()
        if (kept / path.name).exists():
            shutil.copy(kept / path.name, path)
