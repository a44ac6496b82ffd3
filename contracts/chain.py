"""Reaching a node: a ready `Web3`, and whatever it raises turned into this package's errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

from eth_abi.exceptions import DecodingError
from hexbytes import HexBytes
from requests.exceptions import ConnectionError as RequestsConnectionError
from web3 import Web3
from web3.exceptions import Web3Exception, Web3RPCError
from web3.middleware import ExtraDataToPOAMiddleware
from web3.providers.base import JSONBaseProvider
from web3.providers.rpc.utils import ExceptionRetryConfiguration
from web3.types import BlockIdentifier, RPCEndpoint, RPCResponse, TxParams

from contracts.address import checksummed
from contracts.bounded import BODY_MAX, BoundedProvider
from contracts.errors import translate
from contracts.fault import LadingError, NodeError, NodeUnreachable

TIMEOUT_S: Final = 10.0

# A read is repeated once when the connection breaks, as one that was kept open does when a gateway restarts.
# web3.py's own setting repeats five times, after time-outs too, and even `eth_sendRawTransaction`.
_READS: Final = ("eth_call", "eth_blockNumber", "eth_chainId", "eth_getBlockByNumber", "eth_getCode", "eth_getProof")
_ETH_CALL: Final = RPCEndpoint("eth_call")
_RETRY: Final = ExceptionRetryConfiguration(
    errors=(RequestsConnectionError,), retries=2, backoff_factor=0.05, method_allowlist=_READS
)


def connect(url: str, *, body_max: int = BODY_MAX, **request_kwargs: Any) -> Web3:
    """A `Web3` that understands Clique's headers and never follows a contract's own links (EIP-3668).

    Args:
        url: the node's, or the gateway's.
        body_max: an answer of more bytes is refused.
        request_kwargs: for `requests`: `timeout` (default 10 s), `verify`, `cert`, `headers`, …
    """
    provider = BoundedProvider(
        url,
        body_max=body_max,
        request_kwargs={"timeout": TIMEOUT_S} | request_kwargs,
        exception_retry_configuration=_RETRY,
    )
    provider.global_ccip_read_enabled = False
    w3 = Web3(provider)
    w3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    return w3


@contextmanager
def asking() -> Iterator[None]:
    """Raise this package's errors instead of those of web3.py, of requests and of malformed answers.

    Raises:
        ContractError: a contract refused.
        NodeError: the node gave no usable answer.
    """
    try:
        yield
    except LadingError:
        raise
    except Web3Exception as error:
        raise translate(error) from error
    except OSError as error:
        raise NodeUnreachable(f"the node cannot be reached: {error}") from error
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
        DecodingError,
    ) as error:
        raise NodeError(f"the node's answer cannot be read: {error!r}") from error


def call(w3: Web3, transaction: TxParams, block: BlockIdentifier = "latest") -> HexBytes:
    """What `eth_call` answers.

    Raises:
        ContractError: the contract refused.
        NodeError: there is no usable answer.
    """
    with asking():
        return HexBytes(w3.eth.call(transaction, block, ccip_read_enabled=False))


def call_many(w3: Web3, transactions: Sequence[TxParams], block: int) -> list[HexBytes]:
    """What `eth_call` answers to each, asked in one batch, so that one node answers all.

    Raises:
        ContractError: a contract refused.
        NodeError: there is no usable answer.
    """
    asked = [(_ETH_CALL, [_as_json(transaction), hex(block)]) for transaction in transactions]
    with asking():
        provider = cast("JSONBaseProvider", w3.provider)
        answers = provider.make_batch_request(asked)
        if not isinstance(answers, list) or len(answers) != len(asked):
            raise NodeError(f"the node did not answer a batch of {len(asked)} calls")
        return [_result(answer) for answer in answers]


def _result(answer: RPCResponse) -> HexBytes:
    if "error" in answer:
        raise Web3RPCError(str(answer["error"]), rpc_response=answer)
    return HexBytes(answer["result"])


def _as_json(transaction: TxParams) -> dict[str, str]:
    return {"to": str(transaction["to"]), "data": HexBytes(transaction["data"]).to_0x_hex()}


def code_at(w3: Web3, address: str, block: BlockIdentifier = "latest") -> bytes:
    """The code at an address; empty where there is none."""
    with asking():
        return bytes(w3.eth.get_code(checksummed(address), block))


def block_number(w3: Web3, block: BlockIdentifier = "latest") -> int:
    """The number of a block."""
    with asking():
        found = w3.eth.block_number if block == "latest" else w3.eth.get_block(block)["number"]
        if type(found) is not int or found < 0:
            raise NodeError(f"the node says that a block has the number {str(found)[:80]}")
        return found
