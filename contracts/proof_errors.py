"""Why a proof is refused.

ProofError
├── AnswerError      the answer is not what an honest node answers, or lacks something
├── HeaderError      a header breaks Clique's rules or does not link
├── SealError        too few sealers vouch for the row of headers
├── ClockError       chain, memory and the device's clock do not agree
├── CheckpointError  the known sealers cannot be trusted any more, or belong to another chain
├── StateError       a trie node or the code does not lead to what was claimed
└── IdentityError    what is proven is not one of our sales

Each carries a `Flaw`, the code for programs; its text says what a person can do. Pure.
"""

from __future__ import annotations

from enum import StrEnum

from contracts.fault import LadingError


class Flaw(StrEnum):
    """What is wrong, one code for each rule."""

    MALFORMED = "malformed"
    MISSING_BLOCK = "missing-block"
    PRUNED = "pruned"
    OTHER_BLOCK = "other-block"
    OTHER_SALE = "other-sale"
    NOT_LINKED = "not-linked"
    NOT_CLIQUE = "not-clique"
    TOO_EARLY = "too-early"
    BAD_SEAL = "bad-seal"
    REPEATED_SEALER = "repeated-sealer"
    ROW_TOO_SHORT = "row-too-short"
    TOO_FEW_SEALERS = "too-few-sealers"
    STRANGER_HEAD = "stranger-head"
    UNKNOWN_SEALERS = "unknown-sealers"
    SEALERS_AGED = "sealers-aged"
    HEAD_STALE = "head-stale"
    HEAD_IN_FUTURE = "head-in-future"
    HEAD_WENT_BACK = "head-went-back"
    CLOCK_BEHIND = "clock-behind"
    CHECKPOINT_OLD = "checkpoint-old"
    CHECKPOINT_BEHIND = "checkpoint-behind"
    CHECKPOINT_AHEAD = "checkpoint-ahead"
    OTHER_CHAIN = "other-chain"
    BAD_EPOCH = "bad-epoch"
    ACCOUNT_UNPROVEN = "account-unproven"
    ACCOUNT_DIFFERS = "account-differs"
    CODE_DIFFERS = "code-differs"
    STORAGE_UNPROVEN = "storage-unproven"
    STORAGE_DIFFERS = "storage-differs"
    BAD_STATE = "bad-state"
    NO_CONTRACT = "no-contract"
    NOT_OUR_SALE = "not-our-sale"


class ProofError(LadingError):
    """A proof that is refused: `flaw` is the rule it breaks."""

    reason = "bad-proof"

    def __init__(self, flaw: Flaw, message: str) -> None:
        super().__init__(message)
        self.flaw = flaw


class AnswerError(ProofError, ValueError):
    """The answer is not what an honest node answers, or lacks something."""


class HeaderError(ProofError):
    """A header breaks Clique's rules or does not link to the one before it."""


class SealError(ProofError):
    """Too few of the known sealers vouch for the row of headers."""


class ClockError(ProofError):
    """Chain, memory and the device's clock do not agree."""


class CheckpointError(ProofError):
    """The known sealers cannot be trusted any more, or belong to another chain."""


class StateError(ProofError):
    """A trie node or the code does not lead to what was claimed."""


class IdentityError(ProofError):
    """What is proven is not one of our sales."""
