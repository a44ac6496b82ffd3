"""A run: the machine, the moment, and the figures of every module that was measured; kept as one JSON file."""

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from scripts.benchmarks.figure import Figure

MODULES: Final = {
    "gas": "contracts.bench",
    "chain": "geth_network.bench",
    "gateway": "proxy.bench",
    "cloud": "iot_cloud.bench",
    "proof": "contracts.proof_bench",
    "pi": "iot_client.bench",
    "web": "webapp.bench",
}


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured, and of each module when and on which machine."""

    taken: dict[str, str]
    figures: tuple[Figure, ...]

    def of(self, bench: str) -> tuple[Figure, ...]:
        """The figures of one module."""
        return tuple(figure for figure in self.figures if figure.bench == bench)

    def with_others(self, stored: "Run") -> "Run":
        """This run, with what the stored one has of modules that were not measured now."""
        kept = (figure for figure in stored.figures if figure.bench not in self.taken)
        every = sorted((*self.figures, *kept), key=lambda figure: list(MODULES).index(figure.bench))
        return Run(stored.taken | self.taken, tuple(every))


def measure(bench: str) -> tuple[tuple[Figure, ...], str]:
    """Run one module; return its figures and, when it failed, the end of what it said."""
    done = subprocess.run([sys.executable, "-m", MODULES[bench]], capture_output=True, text=True, check=False)
    lines = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    figures = tuple(Figure.read(bench, line) for line in lines)
    return figures, done.stderr.strip()[-2000:] or "no output" if done.returncode else ""


def machine() -> str:
    """Processor, cores, memory, system and the load that the figures were taken under."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = next((line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kernel = platform.release().split("-")[0]
    return (
        f"{model or platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {kernel}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the start"
    )


def place() -> str:
    """The moment, in UTC, to the minute, and the machine."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {machine()}"


def store(run: Run, path: Path) -> None:
    """Write a run as a whole or not at all."""
    content = {"taken": run.taken, "figures": [figure.as_json() for figure in run.figures]}
    part = path.with_suffix(".part")
    try:
        part.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def load(path: Path) -> Run:
    """Read a run back.

    Raises:
        ValueError: the file holds no run.
        OSError: it cannot be read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        figures = tuple(Figure.read(line["bench"], line) for line in content["figures"])
        return Run(dict(content["taken"]), figures)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} holds no run of scripts/bench: {error!r}") from error
