"""Checking a proof where nothing else is: a clean checkout, in a network namespace whose links are down."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LOOK = "import socket; socket.create_connection(('127.0.0.1', 9), 1)"


def clean_checkout(folder: Path) -> Path:
    """What is committed, in an empty folder."""
    folder.mkdir()
    archive = subprocess.run(["git", "-C", ROOT, "archive", "HEAD", "contracts"], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder


def without_network(*command: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of this Python in a folder, all links of its network down, loopback too."""
    return subprocess.run(
        ["unshare", "--map-root-user", "--net", "--", sys.executable, *map(str, command)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "LADING_HOME": str(folder / "none")},
        capture_output=True,
        text=True,
        check=False,
    )


def verify_offline(checkout: Path, file: Path, sealers: Iterable[str]) -> subprocess.CompletedProcess[str]:
    """What the checkout's command says of a proof, to whoever knows these sealers."""
    command = ["-m", "contracts", "proof", "verify", file, "--json", "--sealers", *sealers]
    return without_network(*command, folder=checkout)
