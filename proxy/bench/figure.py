"""One figure of the table that scripts/bench prints."""

import statistics
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A value beside its baseline of the same run."""

    figure: str
    value: float
    unit: str = ""
    baseline: float | None = None
    baseline_is: str = ""
    ratio: float | None = None
    target: str = ""
    spread: str = ""

    def as_json(self) -> dict[str, Any]:
        """As scripts/bench reads it."""
        return {"bench": "gateway", **asdict(self)}


def middle(values: list[float], digits: int = 0) -> float:
    """The median, rounded."""
    return round(statistics.median(values), digits or None)


def spread(values: list[float], digits: int = 0) -> str:
    """The lowest and the highest."""
    return f"{min(values):,.{digits}f} to {max(values):,.{digits}f}"
