"""How a figure is told: one JSON object a line."""

import json
import statistics
import sys


def say(figure: str, value: float | str, unit: str, target: str = "", **more: object) -> None:
    """Print one figure."""
    shown = round(value, 3) if isinstance(value, float) else value
    line = {"bench": "web", "figure": figure, "value": shown, "unit": unit, "target": target, **more}
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def p95(values: list[float]) -> float:
    """Return the value that nineteen of twenty do not exceed."""
    return statistics.quantiles(values, n=20)[18]


def spread(values: list[float], unit: str) -> str:
    """Return the lowest and the highest."""
    return f"{min(values):,.1f}-{max(values):,.1f} {unit}"
