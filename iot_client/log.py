"""The log: JSON lines in a file, readable lines on a terminal; never a voucher, never a key."""

import json
import logging
import re
import sys
from pathlib import Path

SECRET = re.compile(r"LADING:\d+:[0-9A-Z $%*+\-./:]+|0x[0-9a-fA-F]{128,}")


class JsonLines(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record, its fields beside the message."""
        line: dict[str, object] = {
            "at": round(record.created, 3),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": clean(record.getMessage()),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["error"] = clean(self.formatException(record.exc_info))
        return json.dumps(line, default=str)


def clean(text: str) -> str:
    """The text without vouchers and without anything as long as a signature."""
    return SECRET.sub("<hidden>", text)


def set_up_log(path: Path, *, verbose: bool = False) -> None:
    """Log to this file, and warnings to stderr."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    to_file = logging.FileHandler(path)
    to_file.setFormatter(JsonLines())
    to_terminal = logging.StreamHandler(sys.stderr)
    to_terminal.setLevel(logging.INFO if verbose else logging.WARNING)
    to_terminal.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[to_file, to_terminal], force=True)
    # The SDK logs every call at INFO and retries at ERROR; the Pi says itself when it is offline.
    logging.getLogger("AWSIoTPythonSDK").setLevel(logging.CRITICAL)
