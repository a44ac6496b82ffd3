"""The roots of the error tree that `contracts.errors` draws. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class LadingError(Exception):
    """The root of this package's errors; `reason` is a code for programs."""

    reason: ClassVar[str] = "error"


class TermsError(LadingError, ValueError):
    """No sale can have these terms."""

    reason = "bad-terms"


class FieldError(LadingError, ValueError):
    """A value that somebody gave cannot stand; `field` is its name."""

    reason = "bad-field"

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}")


class ListingError(FieldError):
    """A field of a listing cannot stand."""

    reason = "bad-listing"


class DeploymentError(LadingError):
    """The contracts are not where the list of deployments says, or the list cannot be read."""

    reason = "bad-deployment"


class AddressError(LadingError, ValueError):
    """A text is no address."""

    reason = "bad-address"


class CallError(LadingError, ValueError):
    """The arguments of a call are none that the contract could take."""

    reason = "bad-call"


class KeystoreError(LadingError):
    """A keystore cannot be read or opened."""

    reason = "bad-keystore"


class NodeError(LadingError):
    """A node gave no usable answer."""

    reason = "node-failed"


class NodeUnreachable(NodeError):  # noqa: N818
    """There is no connection to the node."""

    reason = "node-unreachable"


class ContractError(LadingError):
    """A contract refused.

    A subclass for each custom error says its values as attributes; `values` has them under the contract's own names.
    """

    reason = "refused"
    message: ClassVar[str] = "the contract refused"

    def __init__(self, text: str | None = None, *, values: Mapping[str, Any] | None = None) -> None:
        self.values: dict[str, Any] = dict(values or {})
        attributes = {snake_case(name): value for name, value in self.values.items()}
        for name, value in attributes.items():
            setattr(self, name, value)
        self.data = b""
        super().__init__(text or self.message.format(**attributes))


class UnknownRefusal(ContractError):  # noqa: N818
    """A contract refused with data that none of ours sends, or with none."""

    reason = "refused-unknown"


def snake_case(name: str) -> str:
    """The Python name of a Solidity name."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
