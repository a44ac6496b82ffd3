"""When to start a dead node again, and when a chain that stands still needs a push; pure.

A Clique chain can stand still for good although enough sealers live (go-ethereum 18402, 30165):
each sits on a head of its own, has sealed lately, and finds no other head heavier.
One sealer going back ⌊N/2⌋ + 1 blocks and starting again ends that. It can also wait for a block that its sealer
missed; telling the sealer again ends that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from geth_network.rpc import Head

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0
MAX_FAILURES = 6
RANK_DELAY_S = 5.0
LONG_WAY = 1_000


@dataclass
class Restarts:
    """The restarts of one node: each failure doubles the delay, too many in a row end it."""

    steady_s: float = 60
    failures: int = 0
    total: int = 0

    def next_delay_s(self, lived_s: float) -> float | None:
        """How long to wait after a death; None when it is time to give up."""
        self.failures = 1 if lived_s >= self.steady_s else self.failures + 1
        if self.failures > MAX_FAILURES:
            return None
        self.total += 1
        return float(min(FIRST_DELAY_S * 2 ** (self.failures - 1), LONGEST_DELAY_S))


@dataclass(frozen=True)
class View:
    """What one look at the chain showed: our sealers' heads, the heads of all peers, reachable sealers."""

    heads: Mapping[str, Head]
    peer_heads: frozenset[str]
    sealers_in_reach: int


@dataclass
class StallWatch:
    """Decides which of our sealers, if any, takes blocks back.

    `ranks` holds each local sealer's place among all sealers by address. Watchdogs of several members do not talk:
    each waits longer the higher its rank and looks again, so that one acts and the others see the chain move.
    """

    sealer_count: int
    ranks: Mapping[str, int]
    quiet_s: float
    best: tuple[int, int] = (-1, -1)
    well_at: float = 0.0
    acted: list[str] = field(default_factory=list)

    def look(self, view: View, now: float) -> str | None:
        """The sealer to take back now, or None. Sure only if enough sealers are in reach and heads differ."""
        best = max(((head.difficulty, head.number) for head in view.heads.values()), default=self.best)
        if best > self.best:
            self.best, self.well_at = best, now
            self.acted.clear()
        if not self.is_stuck(view):
            self.well_at = now  # members that were apart begin to count when they meet, not when they parted
        for name in self.in_order(view.heads):
            if name not in self.acted and now - self.well_at >= self.wait_s(name):
                self.acted.append(name)
                self.well_at = now  # the next one waits its whole time again
                return name
        return None

    def is_stuck(self, view: View) -> bool:
        """A majority is in reach and not of one mind."""
        hashes = {head.hash for head in view.heads.values()} | view.peer_heads
        return view.sealers_in_reach > self.sealer_count // 2 and len(hashes) > 1

    def in_order(self, names: Mapping[str, Head]) -> Sequence[str]:
        """Our sealers by rank."""
        return sorted((name for name in names if name in self.ranks), key=lambda name: self.ranks[name])

    def wait_s(self, name: str) -> float:
        """How long the chain must have been stuck before this sealer acts."""
        return self.quiet_s + RANK_DELAY_S * (self.ranks[name] + 1)

    def blocks_back(self) -> int:
        """How many blocks free a sealer to seal again."""
        return self.sealer_count // 2 + 1


@dataclass
class Nudge:
    """Whether our sealers should be told again to seal: no block came for a while, though a majority is in reach.

    geth tries an empty block once after each new head. One that it misses, on a crowded machine, it does not try
    again, and where exactly a majority lives nobody else may seal it. To be told twice does a sealer no harm.
    """

    quiet_s: float
    best: tuple[int, int] = (-1, -1)
    still_since: float = 0.0

    def look(self, view: View, sealer_count: int, now: float) -> bool:
        """Whether it is time, once each `quiet_s`."""
        best = max(((head.difficulty, head.number) for head in view.heads.values()), default=self.best)
        if best > self.best or view.sealers_in_reach <= sealer_count // 2:
            self.best, self.still_since = max(best, self.best), now
        if now - self.still_since < self.quiet_s:
            return False
        self.still_since = now
        return True


@dataclass
class Solitude:
    """Whether a sealer that lost the majority, or an RPC node that lost all peers, should start again and dial.

    After a lost connection geth waits 35 s before it dials a node again; a fresh process dials at once.
    One that never was with the majority has lost nothing: it waits to be let in.
    """

    patience_s: float
    lost_at: float | None = None
    times: int = 0
    had_company: bool = False

    def look(self, in_majority: bool, now: float, heard: Callable[[], bool]) -> bool:
        """Whether to start again now: patience is used up and a missing peer is `heard`.

        The patience doubles with each start that brought nothing, never while there is nobody to dial.
        """
        if in_majority:
            self.lost_at, self.times, self.had_company = None, 0, True
        if in_majority or not self.had_company:
            return False
        if self.lost_at is None:
            self.lost_at = now
        if now - self.lost_at < self.patience_s * 2**self.times or not heard():
            return False
        self.lost_at, self.times = now, min(self.times + 1, 4)
        return True


@dataclass
class Ascent:
    """Whether a node has just fetched a long chain and should start once anew, since it keeps what fetching took.

    Some 20 MiB of an archive node's heap stay in pieces that Go cannot give back.
    """

    behind_at: int | None = None

    def look(self, number: int, *, at_head: bool) -> bool:
        """Whether to start again now: at the chain's head, `LONG_WAY` blocks or more after it was first seen behind."""
        low = number if self.behind_at is None else self.behind_at
        self.behind_at = None if at_head else low
        return at_head and number - low >= LONG_WAY
