"""What a measurement found, as `scripts/bench` shows it: a value beside its baseline of the same run."""

import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    figure: str
    value: float
    unit: str
    baseline: float | None = None
    baseline_is: str = ""
    target: str = ""
    spread: str = ""

    def tell(self) -> None:
        """Print it as a JSON line."""
        ratio = round(self.value / self.baseline, 2) if self.baseline else None
        sys.stdout.write(json.dumps({"bench": "cloud", **asdict(self), "ratio": ratio}, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent stay below, to the thousandth."""
    return round(statistics.quantiles(values, n=100)[percent - 1], 3)


def spread(values: Sequence[float], percent: int, parts: int = 5) -> str:
    """The lowest and the highest of the percentiles of this many successive parts."""
    size = len(values) // parts
    found = [percentile(values[start : start + size], percent) for start in range(0, size * parts, size)]
    return f"{min(found)} to {max(found)}"
