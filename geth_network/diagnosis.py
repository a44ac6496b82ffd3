"""Why a geth ended, by its own last words, and what to do about it."""

import re
from pathlib import Path

FULL = re.compile(r"low disk space|no space left on device|disk quota exceeded", re.IGNORECASE)
DAMAGED = re.compile(
    r"Fatal: .*chaindata|malformed|corrupt|checksum mismatch|missing trie node|invalid table|bad magic|invalid chunk|"
    r"unsupported chunk|genesis block not found|incompatible genesis|file does not exist",
    re.IGNORECASE,
)


def advice(name: str, data: Path, last_words: str) -> str | None:
    """What to do about a node that ended with these words; None if they tell nothing that is known.

    A full disk comes first: geth stops before it is full, "to prevent database corruption", and nothing is damaged.
    """
    if FULL.search(last_words):
        return f"the disk of {data} is full; free some of it and start again, nothing is lost"
    if DAMAGED.search(last_words):
        return f"the data folder of {name} is damaged; `lading-chain resync {name}` fetches the chain anew, keys stay"
    return None
