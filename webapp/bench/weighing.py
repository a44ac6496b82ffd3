"""What is weighed: a first visit packed, and the memory of the processes that serve."""

import gzip
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

from webapp.bench.figures import say

START_S = 120.0
VIEWS = 60


def serve(home: Path, rpc: str) -> None:
    """Start `lading-web up`, look at its pages, weigh the first visit and the processes."""
    table = f'[web]\nport = 0\nrpc = ["{rpc}"]\nscrypt_n = 1024\n'
    (home / "lading.toml").write_text(table)
    settings = {"LADING_HOME": str(home), "LADING_CONFIG": str(home / "lading.toml")}
    with (home / "up.out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "webapp", "up"], env={**os.environ, **settings}, stdout=out, stderr=out
        )
    try:
        url = ready_address(home / "web" / "ready.json")
        _first_visit(url)
        for _ in range(VIEWS):
            httpx.get(url).raise_for_status()
        _memory(psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def ready_address(ready: Path) -> str:
    """Wait until it serves; where."""
    until = time.monotonic() + START_S
    while not ready.exists():
        if time.monotonic() > until:
            raise TimeoutError(f"lading-web did not start within {START_S:.0f} s")
        time.sleep(0.1)
    return str(json.loads(ready.read_text())["url"])


def _first_visit(url: str) -> None:
    page = httpx.get(url).text
    names = sorted(set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page)))
    loaded = [page.encode(), *(httpx.get(url + name).content for name in names)]
    weight = sum(len(gzip.compress(content)) for content in loaded) / 1024
    say("first visit to the market, packed", weight, "KB", "<= 200", spread=f"{len(loaded)} files")


def _memory(process: psutil.Process) -> None:
    children = process.children(recursive=True)
    unlocking = [child for child in children if "webapp.unlock" in child.cmdline()]
    serving = [process, *(child for child in children if child not in unlocking)]
    sizes = [one.memory_full_info() for one in serving]
    say("web process, the largest one", max(one.rss for one in sizes) / 2**20, "MB", "<= 150")
    shared = sum(one.pss for one in sizes) / 2**20
    say("all web processes, shared pages counted once", shared, "MB", spread=f"{len(serving)} processes")
