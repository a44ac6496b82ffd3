"""Reaching a node: a ready `Web3`, and whatever it raises turned into this package's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from eth_abi.exceptions import DecodingError
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception
from web3.middleware import ExtraDataToPOAMiddleware
from web3.types import BlockIdentifier, TxParams

from contracts.errors import translate
from contracts.fault import LadingError, NodeError, NodeUnreachable

TIMEOUT_S: Final = 10.0


def connect(url: str, **request_kwargs: Any) -> Web3:
    """A `Web3` that understands Clique's headers and never follows a contract's own links (EIP-3668).

    Args:
        url: the node's, or the gateway's.
        request_kwargs: for `requests`: `timeout` (default 10 s), `verify`, `cert`, `headers`, …
    """
    provider = HTTPProvider(url, request_kwargs={"timeout": TIMEOUT_S} | request_kwargs)
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
    except (ValueError, LookupError, TypeError, AttributeError, DecodingError) as error:
        raise NodeError(f"the node's answer cannot be read: {error!r}") from error


def call(w3: Web3, transaction: TxParams, block: BlockIdentifier = "latest") -> HexBytes:
    """What `eth_call` answers.

    Raises:
        ContractError: the contract refused.
        NodeError: there is no usable answer.
    """
    with asking():
        return HexBytes(w3.eth.call(transaction, block, ccip_read_enabled=False))


def code_at(w3: Web3, address: str, block: BlockIdentifier = "latest") -> bytes:
    """The code at an address; empty where there is none."""
    with asking():
        return bytes(w3.eth.get_code(Web3.to_checksum_address(address), block))
