"""One measured figure: what a benchmark module prints as a line of JSON, and whether it meets its target."""

import re
from dataclasses import asdict, dataclass
from typing import Any

_TARGET = re.compile(r"(<=|>=|≤|≥)\s*([\d.,]+)\s*(.*)")


@dataclass(frozen=True, slots=True)
class Figure:
    """A value beside its baseline of the same run.

    A target is `≤` or `≥` and a number: of the ratio when `of` and the baseline follow, else of the value.
    """

    bench: str
    figure: str
    value: float | str
    unit: str = ""
    baseline: float | None = None
    baseline_is: str = ""
    ratio: float | None = None
    target: str = ""
    spread: str = ""

    @classmethod
    def read(cls, bench: str, line: dict[str, Any]) -> "Figure":
        """The figure of a line that the module of this name printed.

        Raises:
            KeyError: it names no figure or has no value.
            ValueError: nobody could judge its target.
        """
        if line.get("target") and not _TARGET.match(line["target"]):
            raise ValueError(f"{line['figure']}: {line['target']!r} is no target; write <= or >= and a number")
        kept = {name: line[name] for name in cls.__slots__ if line.get(name) is not None}
        return cls(**{**kept, "bench": bench, "figure": line["figure"], "value": line["value"]})

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @property
    def share(self) -> float | None:
        """How much of what the target allows is used; up to 1 meets it, `None` without one."""
        found = _TARGET.match(self.target)
        value = self.ratio if found and found[3].startswith("of ") else self.value
        if not found or value is None or isinstance(value, str):
            return None
        limit = float(found[2].replace(",", ""))
        used, allowed = (value, limit) if found[1] in "<=≤" else (limit, value)
        return used / allowed if allowed else float(used > 0) * 2

    @property
    def met(self) -> bool | None:
        """Whether the target is met; `None` without one."""
        return None if self.share is None else self.share <= 1

    def cells(self) -> tuple[str, str, str, str, str, str]:
        """Figure, value, spread, baseline, ratio and target, as a person reads them."""
        baseline = f"{number(self.baseline)} {self.baseline_is}".strip()
        mark = {True: " ✓", False: " ✗", None: ""}[self.met]
        value = f"{number(self.value)} {self.unit}".strip()
        return self.figure, value, self.spread, baseline, number(self.ratio), f"{self.target}{mark}"


def number(value: float | str | None) -> str:
    """A number with as many digits as one reads."""
    if value is None:
        return ""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return value if isinstance(value, str) else f"{value:,.0f}"
