"""A `Web3` as the caller that proofs want: batches in, results out, errors in the words of this package."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, cast

from web3 import Web3
from web3.types import RPCEndpoint

from contracts.batch import Request, Rpc, read_results
from contracts.chain import asking
from contracts.fault import NodeError


def rpc_of(w3: Web3) -> Rpc:
    """A function that posts a batch of requests through the provider of `w3`, in one HTTP request.

    A connection that breaks is tried once more, since a gateway that reloads breaks kept ones. The function raises
    NodeError where there is no answer, AnswerError where it is not one for each request.
    """

    def call(batch: Sequence[Request]) -> list[object]:
        return read_results(_post(w3, batch), len(batch))

    return call


def _post(w3: Web3, batch: Sequence[Request]) -> list[Any]:
    try:
        answers = _once(w3, batch)
    except NodeError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        answers = _once(w3, batch)
    if not isinstance(answers, list):
        raise NodeError(f"the node refused the batch: {str(answers)[:300]}")
    # web3 counts ids on; from 0 they say which request each answers.
    first = min((answer["id"] for answer in answers if _has_number(answer)), default=0)
    return [answer | {"id": answer["id"] - first} if _has_number(answer) else answer for answer in answers]


def _once(w3: Web3, batch: Sequence[Request]) -> Any:
    requests = [(cast("RPCEndpoint", method), params) for method, params in batch]
    try:
        with asking(), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of answers without an id: refused when read
            return w3.provider.make_batch_request(requests)  # type: ignore[attr-defined]
    except (AttributeError, RecursionError) as error:
        raise NodeError(f"the node's answer cannot be read: {error}") from error


def _has_number(answer: Any) -> bool:
    return isinstance(answer, dict) and type(answer.get("id")) is int
