"""A row of headers, and how many of the known sealers vouch for its first one.

With k = N // 2, an honest Clique chain never lets one sealer seal twice in k + 1 blocks; so k + 1 headers on one
another hold the word of a majority. Seals of strangers link but do not count. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from contracts.headers import Header, check_fields, check_link
from contracts.proof_errors import Flaw, HeaderError, SealError

Sealers = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SealRules:
    """What the genesis fixes, and how many distinct sealers a row must hold (None: a majority)."""

    period_s: int
    epoch: int
    distinct_sealers: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Headers on one another, oldest first, each sealed; `known` are the distinct known sealers among them.

    `depth` is how many headers by known sealers lie on top of the base. Anybody can put headers of his own on a row;
    they count for nothing.
    """

    headers: tuple[Header, ...]
    known: frozenset[bytes]
    depth: int
    off_turn: tuple[int, ...]

    @property
    def base(self) -> Header:
        """The header whose state is vouched for."""
        return self.headers[0]

    @property
    def head(self) -> Header:
        """The newest header."""
        return self.headers[-1]


def majority_depth(sealers: Sealers) -> int:
    """k: so many headers on top make a majority of the sealers."""
    return len(sealers) // 2


def needed(sealers: Sealers, rules: SealRules) -> int:
    """How many distinct sealers must vouch."""
    return max(majority_depth(sealers) + 1, rules.distinct_sealers or 0)


def longest_row(sealers: Sealers) -> int:
    """How many headers a row may have: 4 N."""
    return 4 * len(sealers)


def check_row(headers: Sequence[Header], sealers: Sealers, rules: SealRules, *, resting: bool = True) -> Row:
    """The row of these headers, when enough of the sealers vouch for the first one.

    Without `resting`, a sealer may seal sooner again than this list of sealers allows: a shorter one may have been
    in force.

    Raises:
        HeaderError: a header breaks a rule or does not link.
        SealError: too few sealers vouch; `ROW_TOO_SHORT` and `TOO_FEW_SEALERS` may be mended by a longer row.
    """
    if not headers:
        raise SealError(Flaw.ROW_TOO_SHORT, "a row needs at least one header")
    for header in headers:
        check_fields(header, rules.epoch)
    for parent, child in pairwise(headers):
        check_link(parent, child, rules.period_s)
    if resting:
        _check_rest(headers, sealers)
    known = frozenset(header.sealer for header in headers).intersection(sealers)
    _check_count(len(known), headers, sealers, rules)
    on_top = sum(header.sealer in sealers for header in headers[1:])
    return Row(tuple(headers), known, on_top, _off_turn(headers, sealers))


def vouched_time(row: Row, wanted: int) -> int:
    """The time since which so many distinct known sealers have sealed this row: theirs, not a stranger's.

    One sealer alone could put a fresh header on a row that the others left long ago.
    """
    found: set[bytes] = set()
    for header in reversed(row.headers):
        found |= {header.sealer} & row.known
        if len(found) >= wanted:
            return header.timestamp
    return row.base.timestamp


def check_head(row: Row) -> None:
    """The newest header is a known sealer's.

    Raises:
        SealError: it is a stranger's, whose number and time mean nothing.
    """
    if row.head.sealer not in row.known:
        raise SealError(Flaw.STRANGER_HEAD, f"block {row.head.number} was not sealed by a known sealer: try again")


def _check_rest(headers: Sequence[Header], sealers: Sealers) -> None:
    """A known sealer rests k blocks after each of its own."""
    rest, last = majority_depth(sealers), dict[bytes, int]()
    for header in headers:
        before = last.get(header.sealer)
        if header.sealer in sealers and before is not None and header.number - before <= rest:
            raise HeaderError(
                Flaw.REPEATED_SEALER,
                f"0x{header.sealer.hex()} sealed blocks {before} and {header.number}, too close to each other",
            )
        last[header.sealer] = header.number


def _check_count(known: int, headers: Sequence[Header], sealers: Sealers, rules: SealRules) -> None:
    count, wanted, at_most = len(headers), needed(sealers, rules), longest_row(sealers)
    if known >= wanted:
        return
    where = f"blocks {headers[0].number} to {headers[-1].number}"
    if count < wanted:
        raise SealError(Flaw.ROW_TOO_SHORT, f"{where} hold {known} known seals, {wanted} are needed")
    if count < at_most:
        raise SealError(Flaw.TOO_FEW_SEALERS, f"{known} known sealers in {where}, {wanted} are needed")
    if known:
        raise SealError(
            Flaw.SEALERS_AGED,
            f"only {known} of the known sealers sealed {where}: ask the operator for a new checkpoint",
        )
    raise SealError(
        Flaw.UNKNOWN_SEALERS,
        f"no known sealer sealed {where}: the configured sealers are wrong, or this is another chain",
    )


def _off_turn(headers: Sequence[Header], sealers: Sealers) -> tuple[int, ...]:
    """Blocks whose difficulty does not fit the turn under this list of sealers.

    Reported, not refused: after a vote within the epoch every honest block may differ.
    """
    return tuple(
        header.number
        for header in headers
        if header.sealer in sealers
        and header.difficulty != 1 + (header.number % len(sealers) == sealers.index(header.sealer))
    )
