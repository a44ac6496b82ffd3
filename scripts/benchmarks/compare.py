"""What moved between two runs."""

from collections.abc import Iterator
from typing import Final

from scripts.benchmarks.figure import Figure, number
from scripts.benchmarks.run import Run

# Ratios of one run hold on any machine; of plain values less than this is noise.
NOISE: Final = 0.15


def moved(before: Run, after: Run) -> Iterator[tuple[str, str, str, str]]:
    """Figure, before, after and change, of each that moved by more than noise; a ratio counts before a value."""
    known = {(figure.bench, figure.figure): figure for figure in before.figures}
    for figure in after.figures:
        old = known.get((figure.bench, figure.figure))
        name = f"{figure.bench}: {figure.figure}"
        if old is None:
            yield name, "", number(figure.value), "new"
            continue
        was, is_ = _counting(old, figure)
        if was and abs(is_ / was - 1) > NOISE:
            yield name, number(was), number(is_), f"{is_ / was - 1:+.0%}"
    kept = {(figure.bench, figure.figure) for figure in after.figures}
    for key, old in known.items():
        if old.bench in after.taken and key not in kept:
            yield f"{old.bench}: {old.figure}", number(old.value), "", "gone"


def _counting(old: Figure, new: Figure) -> tuple[float, float]:
    if old.ratio is not None and new.ratio is not None:
        return old.ratio, new.ratio
    if isinstance(old.value, str) or isinstance(new.value, str):
        return 0, 0
    return old.value, new.value
