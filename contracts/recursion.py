"""Keeps Python's guard against deep recursion where Python sets it.

web3.py imports `py_ecc`, which raises the process's limit to 100,000 when it is first imported. With that limit a
JSON text of some ten thousand opening brackets, from a node, a file or a browser, ends the process with a
segmentation fault instead of a RecursionError. So it is imported here, before anybody else does, and the limit
taken back. Nothing of ours recurses deeply.
"""

from __future__ import annotations

import importlib
import sys
from typing import Final

LIMIT: Final = 1_000


def keep_guard() -> None:
    """Set the limit back to what Python starts with, if it was raised."""
    importlib.import_module("py_ecc")
    if sys.getrecursionlimit() > LIMIT:
        sys.setrecursionlimit(LIMIT)
