"""Which sealers to believe: a checkpoint, and the walk from epoch block to epoch block that follows their votes.

The header of every epoch block lists the sealers. A list is adopted only when a majority of the sealers known so
far vouches for the block that carries it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.headers import MAX_SEALERS, Header
from contracts.proof_errors import CheckpointError, Flaw, HeaderError
from contracts.seals import Sealers, SealRules, check_row


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """An epoch block that is believed: its number, hash, time (Unix seconds) and the sealers it lists, sorted.

    `hash` is None when nothing but the sealers was configured; `timestamp` then says when, and the first list is
    taken from whichever epoch block they vouch for.
    """

    number: int
    hash: bytes | None
    timestamp: int
    sealers: Sealers

    def __post_init__(self) -> None:
        check_sealers(self.sealers)

    @classmethod
    def configured(cls, sealers: Iterable[str | bytes], at: int) -> Checkpoint:
        """The checkpoint of somebody who knows nothing but the sealers, as of the time `at`."""
        raw = (bytes.fromhex(s.removeprefix("0x")) if isinstance(s, str) else s for s in sealers)
        return cls(0, None, at, tuple(sorted(raw)))

    @classmethod
    def of(cls, header: Header) -> Checkpoint:
        """The checkpoint that this epoch block makes.

        Raises:
            HeaderError: it lists no sealers.
        """
        return cls(header.number, header.hash, header.timestamp, listed_sealers(header))


def check_sealers(sealers: Sealers) -> None:
    """The addresses are sorted, distinct, and neither none nor too many."""
    if not 1 <= len(sealers) <= MAX_SEALERS or any(len(sealer) != 20 for sealer in sealers):
        raise HeaderError(Flaw.BAD_EPOCH, f"a list of sealers holds 1 to {MAX_SEALERS} addresses")
    if list(sealers) != sorted(set(sealers)):
        raise HeaderError(Flaw.BAD_EPOCH, "a list of sealers is sorted and names nobody twice")


def listed_sealers(header: Header) -> Sealers:
    """The sealers that an epoch block lists."""
    raw = header.listed
    if not raw or len(raw) % 20:
        raise HeaderError(Flaw.BAD_EPOCH, f"block {header.number} does not list the sealers")
    sealers = tuple(raw[start : start + 20] for start in range(0, len(raw), 20))
    check_sealers(sealers)
    return sealers


def epochs_between(checkpoint: Checkpoint, head: int, epoch: int, on_top: int = 0) -> range:
    """The numbers of the epoch blocks to follow that have at least `on_top` blocks on them up to this head.

    All of them after a checkpoint; only the last one after configured sealers, who may be younger than the others.
    """
    first, end = _next(checkpoint, epoch), head - on_top + 1
    if checkpoint.hash is None:
        first = max(first, (end - 1) // epoch * epoch)
    return range(first, end, epoch)


def adopt(checkpoint: Checkpoint, headers: Sequence[Header], rules: SealRules) -> Checkpoint:
    """The checkpoint one epoch on: these headers are the next epoch block and enough blocks on top of it.

    Raises:
        CheckpointError: they start at another block.
        HeaderError: they do not link, or the list is malformed.
        SealError: too few of the sealers known so far vouch for it.
    """
    number = headers[0].number if headers else 0
    expected = _next(checkpoint, rules.epoch)
    if number % rules.epoch or number < expected or (number > expected and checkpoint.hash is not None):
        raise CheckpointError(Flaw.OTHER_BLOCK, f"block {number} is not the next epoch block {expected}")
    base = check_row(headers, checkpoint.sealers, rules, resting=False).base
    if base.items[2] != bytes(20) or base.items[14] != bytes(8):
        raise HeaderError(Flaw.BAD_EPOCH, f"epoch block {base.number} carries a vote")
    if base.timestamp < checkpoint.timestamp and checkpoint.hash is not None:
        raise HeaderError(Flaw.TOO_EARLY, f"epoch block {base.number} is older than the one before it")
    return Checkpoint.of(base)


def _next(checkpoint: Checkpoint, epoch: int) -> int:
    return checkpoint.number - checkpoint.number % epoch + epoch


def walk(checkpoint: Checkpoint, rows: Iterable[Sequence[Header]], rules: SealRules) -> Checkpoint:
    """The checkpoint after following every one of these epoch blocks."""
    for headers in rows:
        checkpoint = adopt(checkpoint, headers, rules)
    return checkpoint


def check_age(checkpoint: Checkpoint, now: int, max_age_s: int) -> None:
    """Keys of sealers that retired long ago must not rewrite the past.

    Raises:
        CheckpointError: the checkpoint is older than that.
    """
    age = now - checkpoint.timestamp
    if age > max_age_s:
        raise CheckpointError(
            Flaw.CHECKPOINT_OLD,
            f"the known sealers are of {age // 86_400} days ago, more than {max_age_s // 86_400}:"
            " ask the operator for a new checkpoint (or set this clock, if it is fast)",
        )
