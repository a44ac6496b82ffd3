"""How many spoilt pictures are read, which kinds are missed, and where reading ends.

    python -m tests.iot_client.reading_rate [--pictures 1000] [--seed 1] [--curve]

Each picture follows from the seed and its number, whoever reads it: two processes give the figures of one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import cv2
from numpy.random import default_rng

from iot_client.scanner.decode import read_code
from tests.iot_client.degrade import FIXED, SPOILINGS, Ranges, spoilt, voucher_text

CURVE: dict[str, tuple[float, ...]] = {
    "module_px": (3, 2.5, 2, 1.6),
    "blur": (1.2, 1.8, 2.4, 3),
    "tilt": (35, 45, 55, 65),
    "jpeg": (20, 12, 8, 5),
    "noise": (12, 20, 30, 45),
    "light": (0.25, 0.15, 0.1, 0.06),
}
POINT_PICTURES = 30


@dataclass(frozen=True)
class Outcome:
    """One picture: what was wrong with it, and what became of it."""

    spoilings: tuple[str, ...]
    read: bool
    wrong: bool
    step: str
    ms: float


@dataclass(frozen=True)
class Rate:
    """The outcomes of some pictures."""

    outcomes: tuple[Outcome, ...]

    @property
    def read(self) -> int:
        """How many were read rightly."""
        return sum(one.read for one in self.outcomes)

    @property
    def wrong(self) -> int:
        """How many yielded another text than the barcode's."""
        return sum(one.wrong for one in self.outcomes)

    @property
    def share(self) -> float:
        """The share that was read rightly."""
        return self.read / len(self.outcomes)

    @property
    def p50_ms(self) -> float:
        """Half of the pictures took no longer."""
        return sorted(one.ms for one in self.outcomes)[len(self.outcomes) // 2]

    def of(self, spoiling: str) -> Rate:
        """Those with this spoiling; `plain` are those with none."""
        return Rate(tuple(one for one in self.outcomes if spoiling in (one.spoilings or ("plain",))))


def read_one(job: tuple[int, int, Ranges]) -> Outcome:
    """Make a picture and read it."""
    seed, number, ranges = job
    dice = default_rng([seed, number])
    text = voucher_text(dice)
    picture, names = spoilt(text, dice, ranges)
    began = time.perf_counter()
    reading = read_code(picture)
    ms = (time.perf_counter() - began) * 1e3
    return Outcome(names, reading.text == text, reading.text not in {None, text}, reading.step, ms)


def measure(pictures: int, seed: int, ranges: Ranges = FIXED, processes: int = 1) -> Rate:
    """Read so many spoilt pictures."""
    jobs = [(seed, number, ranges) for number in range(pictures)]
    if processes == 1:
        return Rate(tuple(map(read_one, jobs)))
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, fresh, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        return Rate(tuple(pool.map(read_one, jobs, chunksize=10)))


def curve(seed: int, processes: int) -> Iterator[tuple[str, list[tuple[float, Rate]]]]:
    """For each factor its values, mild to hopeless, the others drawn from their fixed ranges."""
    for factor, values in CURVE.items():  # each begins at its fixed range's limit
        yield factor, [(at, measure(POINT_PICTURES, seed, FIXED.at(factor, at), processes)) for at in values]


def print_rate(rate: Rate) -> None:
    """The whole, and each kind of spoiling."""
    print(f"read {rate.read} of {len(rate.outcomes)} ({rate.share:.1%}), wrong {rate.wrong}, p50 {rate.p50_ms:.0f} ms")
    for name in ("plain", *SPOILINGS):
        part = rate.of(name)
        if part.outcomes:
            print(f"  {name:10} {part.read:4} of {len(part.outcomes):4} ({part.share:.1%}), p50 {part.p50_ms:.0f} ms")
    print(f"  read by {dict(Counter(one.step for one in rate.outcomes if one.read).most_common())}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rate, and with --curve where reading ends; 1 if any picture was read wrongly."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--curve", action="store_true", help="also where reading ends")
    chosen = parser.parse_args(arguments)
    processes = os.cpu_count() or 1
    rate = measure(chosen.pictures, chosen.seed, processes=processes)
    print(f"seed {chosen.seed}")
    print_rate(rate)
    wrong = rate.wrong
    for factor, points in curve(chosen.seed, processes) if chosen.curve else ():
        print(f"{factor:10}" + "".join(f"  {at:g}: {one.share:.0%}" for at, one in points), flush=True)
        wrong += sum(one.wrong for _, one in points)
    print(f"wrong readings in all: {wrong}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
