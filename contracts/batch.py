"""JSON-RPC batches as text: what to post, and the results in what came back, strictly. Pure.

The shape that `proof.collect` wants of a caller: a function that takes requests and returns their results in the
same order, an `RpcError` in the place of each that the node refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contracts.proof_errors import AnswerError, Flaw

AT_ONCE: Final = 32
BODY_MAX: Final = 1 << 20

Request = tuple[str, list[Any]]
Rpc = Callable[[Sequence[Request]], Sequence[object]]


@dataclass(frozen=True, slots=True)
class RpcError:
    """What a node answers instead of a result."""

    code: int
    message: str


def write_batch(requests: Sequence[Request]) -> bytes:
    """The body to post for these requests; their ids count from 0."""
    calls = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        for number, (method, params) in enumerate(requests)
    ]
    return json.dumps(calls, separators=(",", ":")).encode()


def read_batch(body: bytes, count: int) -> list[object]:
    """The results of a batch of `count` requests, in their order.

    Raises:
        AnswerError: too long, no JSON, or not exactly one answer for each request.
    """
    if len(body) > BODY_MAX:
        raise AnswerError(Flaw.MALFORMED, f"the answer has {len(body)} bytes, at most {BODY_MAX} are read")
    try:
        answers = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise AnswerError(Flaw.MALFORMED, "the answer is not JSON") from error
    return read_results(answers, count)


def read_results(answers: object, count: int) -> list[object]:
    """The results in a parsed answer, in the order of the requests.

    Raises:
        AnswerError: it is not exactly one answer for each request.
    """
    if not isinstance(answers, list) or len(answers) != count:
        raise AnswerError(Flaw.MALFORMED, f"the answer is not a list of {count}")
    results: dict[int, object] = {}
    for answer in answers:
        number = answer.get("id") if isinstance(answer, dict) else None
        if type(number) is not int or not 0 <= number < count or number in results:
            raise AnswerError(Flaw.MALFORMED, "the answers are not one for each request")
        results[number] = _result(answer)
    return [results[number] for number in range(count)]


def ask(call: Rpc, requests: Sequence[Request]) -> list[object]:
    """The results of any number of requests, in batches that the gateway lets through."""
    results: list[object] = []
    for start in range(0, len(requests), AT_ONCE):
        part = requests[start : start + AT_ONCE]
        answered = call(part)
        if len(answered) != len(part):
            raise AnswerError(Flaw.MALFORMED, f"{len(answered)} results for {len(part)} requests")
        results.extend(answered)
    return results


def _result(answer: dict[str, object]) -> object:
    if "error" not in answer:
        return answer.get("result")
    error = answer["error"]
    if not isinstance(error, dict):
        raise AnswerError(Flaw.MALFORMED, "an error without code and message")
    code, message = error.get("code"), error.get("message")
    return RpcError(code if isinstance(code, int) else 0, str(message)[:500])
