# ruff: noqa: N818 - the names say what is wrong
"""Why a text is no voucher that could be used here. Pure."""

from __future__ import annotations

from contracts.fault import LadingError


class VoucherError(LadingError, ValueError):
    """A text is no voucher that could be used here."""

    reason = "bad-voucher"


class NotAVoucher(VoucherError):
    """The text does not begin as ours do."""

    reason = "not-a-voucher"


class UnknownVersion(VoucherError):
    """A later version of the format, or a damaged one."""

    reason = "unknown-version"


class VoucherTooLong(VoucherError):
    """More text than any voucher has."""

    reason = "voucher-too-long"


class VoucherDamaged(VoucherError):
    """The text after the prefix is not base45."""

    reason = "voucher-damaged"


class VoucherLength(VoucherError):
    """Bytes are missing, or there are too many."""

    reason = "voucher-length"


class VoucherField(VoucherError):
    """A value in the voucher cannot be."""

    reason = "voucher-field"


class OtherChain(VoucherError):
    """A voucher for another chain."""

    reason = "other-chain"

    def __init__(self, found: int, expected: int) -> None:
        self.found = found
        self.expected = expected
        super().__init__(f"this receipt belongs to chain {found}, this is chain {expected}")
