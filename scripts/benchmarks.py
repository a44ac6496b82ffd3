"""Runs the benchmark module of each folder and prints its figures as a table.

A module prints a JSON object a line: bench, figure, value, unit, baseline, baseline_is, ratio, target, spread.
"""

import argparse
import json
import platform
import subprocess
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

MODULES = {
    "gas": "contracts.bench",
    "chain": "geth_network.bench",
    "gateway": "proxy.bench",
    "cloud": "iot_cloud.bench",
    "proof": "contracts.proof_bench",
    "pi": "iot_client.bench",
    "web": "webapp.bench",
}


def main() -> int:
    """Measure what was named; exit status 1 if a module failed."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", type=_known, metavar="NAME", help=", ".join(MODULES))
    parser.add_argument("--json", action="store_true", help="print the JSON lines instead of a table")
    arguments = parser.parse_args()
    failed = False
    for name in arguments.names or MODULES:
        figures, error = measure(name)
        failed = failed or bool(error)
        _show(name, figures, error, as_json=arguments.json)
    return int(failed)


def _known(name: str) -> str:
    if name not in MODULES:
        raise argparse.ArgumentTypeError(f"there is no {name}; there are {', '.join(MODULES)}")
    return name


def measure(name: str) -> tuple[list[dict[str, Any]], str]:
    """Run one module; return its figures and, when it failed, the end of what it said."""
    done = subprocess.run([sys.executable, "-m", MODULES[name]], capture_output=True, text=True, check=False)
    figures = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return figures, done.stderr.strip()[-2000:] or "no output" if done.returncode else ""


def _show(name: str, figures: list[dict[str, Any]], error: str, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.writelines(f"{json.dumps(figure, ensure_ascii=False)}\n" for figure in figures)
    elif figures:
        Console().print(_table(name, figures))
    if error:
        sys.stderr.write(f"{name}: the benchmark failed: {error}\n")


def _table(name: str, figures: list[dict[str, Any]]) -> Table:
    table = Table(title=f"{name} ({platform.machine()}, Python {platform.python_version()})", title_justify="left")
    for column in ("figure", "value", "spread", "baseline", "ratio", "target"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for figure in figures:
        baseline = f"{_number(figure.get('baseline'))} {figure.get('baseline_is') or ''}".strip()
        table.add_row(
            figure["figure"], f"{_number(figure['value'])} {figure.get('unit') or ''}", figure.get("spread") or "",
            baseline, _number(figure.get("ratio")), figure.get("target") or "",
        )  # fmt: skip
    return table


def _number(value: float | str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else value


if __name__ == "__main__":
    sys.exit(main())
