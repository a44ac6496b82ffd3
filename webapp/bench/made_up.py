"""Logs of a made-up chain: any number of listings and their purchases, as a node would answer them."""

from collections.abc import Iterator
from typing import Any

from eth_abi.abi import encode

from contracts.events import TOPICS
from contracts.terms import Terms, encode_terms

CHAIN = 7
FACTORY = f"0x{98:040x}"
PERSON = f"0x{99:040x}"
A_BLOCK = 50
"""Logs a block."""
LATER = 10**6
"""Purchases begin in this block."""
MAKES = ("Nimbus", "Orkan", "Zephyr", "Föhn", "Mistral")
_TOPIC = {kind.__name__: topic for topic, kind in TOPICS.items()}


def listed(number: int) -> dict[str, Any]:
    """Return the log of the n-th listing."""
    make, price = MAKES[number % len(MAKES)], (number % 977 + 1) * 10**17
    terms = Terms(PERSON, price, 0, 1 + number % 3, 0, 1990 + number % 36, make, f"m{number % 500}", str(number))  # type: ignore[arg-type]
    data = encode(["bytes"], [encode_terms(terms)])
    return _log(FACTORY, ("Listed", number + 1000, 99), data, number // A_BLOCK + 1, number)


def sold(number: int) -> dict[str, Any]:
    """Return the log of its purchase."""
    data = encode(["uint256"], [10**18])
    return _log(f"0x{number + 1000:040x}", ("Sold", 99), data, LATER + number // A_BLOCK, number)


def _log(contract: str, topics: tuple[str, *tuple[int, ...]], data: bytes, block: int, number: int) -> dict[str, Any]:
    name, *words = topics
    return {
        "address": contract,
        "topics": [_TOPIC[name], *(f"0x{word:064x}" for word in words)],
        "data": f"0x{data.hex()}",
        "blockNumber": hex(block),
        "blockHash": f"0x{block:064x}",
        "transactionHash": f"0x{block:032x}{number:032x}",
        "logIndex": hex(number % A_BLOCK),
    }


def batches(logs: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """Return logs in batches, as ranges of blocks bring them."""
    batch: list[dict[str, Any]] = []
    for log in logs:
        batch.append(log)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
