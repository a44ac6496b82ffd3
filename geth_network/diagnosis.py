"""Why a geth ended, by its own last words, and what to do about it."""

import contextlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

FULL = re.compile(r"low disk space|no space left on device|disk quota exceeded", re.IGNORECASE)
DAMAGED = re.compile(
    r"Fatal: .*chaindata|malformed|corrupt|checksum mismatch|missing trie node|invalid table|bad magic|invalid chunk|"
    r"unsupported chunk|genesis block not found|incompatible genesis|file does not exist",
    re.IGNORECASE,
)
LEAST_BYTES = 32 << 20
"""Where less is free geth stops; where nothing is, it cannot write into its log that it does."""


@dataclass(frozen=True)
class Diagnosis:
    """What to do; `passes` where another start is all that is needed once it is done."""

    advice: str
    passes: bool


def diagnose(name: str, data: Path, last_words: str) -> Diagnosis | None:
    """What ended a node that said these words; None if they tell nothing that is known.

    A full disk comes first: geth stops before it is full, "to prevent database corruption", and nothing is damaged.
    """
    if FULL.search(last_words) or is_full(data):
        return Diagnosis(f"the disk of {data} is full; free some of it, nothing is lost", passes=True)
    if DAMAGED.search(last_words):
        words = f"the data folder of {name} is damaged; `lading-chain resync {name}` fetches the chain anew, keys stay"
        return Diagnosis(words, passes=False)
    return None


def is_full(data: Path) -> bool:
    """Whether a folder's disk has no room for a geth."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(data).free < LEAST_BYTES
    return False
