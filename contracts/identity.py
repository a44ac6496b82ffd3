"""Is it one of our sales, and on what terms? Computed from its code: `isSale` without asking anybody. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.deployment import Deployment
from contracts.fault import TermsError
from contracts.proof_errors import Flaw, IdentityError
from contracts.terms import Terms, decode_terms, sale_address, split_clone


@dataclass(frozen=True, slots=True)
class Identity:
    """The deployment that made a sale, and the sale's terms."""

    deployment: Deployment
    terms: Terms


def identify(code: bytes, sale: str, deployments: Iterable[Deployment]) -> Identity:
    """Whose sale this is, by its code and its address (CREATE2).

    Raises:
        IdentityError: no known factory made it.
    """
    try:
        implementation, raw = split_clone(code)
        terms = decode_terms(raw)
    except TermsError as error:
        raise IdentityError(Flaw.NOT_OUR_SALE, f"{sale} is not a sale: {error}") from error
    for deployment in deployments:
        if deployment.implementation.lower() == implementation.lower() and (
            sale_address(deployment.factory, implementation, raw).lower() == sale.lower()
        ):
            return Identity(deployment, terms)
    raise IdentityError(Flaw.NOT_OUR_SALE, f"{sale} was made by none of the known factories")
