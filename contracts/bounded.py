"""A provider that reads no more than so many bytes of an answer, and not for longer than its time-out in all.

`requests` reads a body whole, and its time-out starts anew with every byte: a node could fill the memory of whoever
asks it, or hold him for ever.
"""

from __future__ import annotations

import time
from typing import Any, Final

from requests import Response
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ReadTimeout
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError
from web3 import HTTPProvider
from web3._utils.http_session_manager import HTTPSessionManager

from contracts.fault import NodeError, NodeUnreachable

BODY_MAX: Final = 32 << 20
CHUNK: Final = 65_536


class BoundedProvider(HTTPProvider):
    """Like `HTTPProvider`; an answer of more than `body_max` bytes, decompressed, is refused."""

    def __init__(self, url: str, *, body_max: int = BODY_MAX, **options: Any) -> None:
        super().__init__(url, **options)
        self._request_session_manager = _BoundedSessions(body_max)


class _BoundedSessions(HTTPSessionManager):
    def __init__(self, body_max: int) -> None:
        super().__init__()
        self._body_max = body_max

    def make_post_request(self, endpoint_uri: Any, data: bytes | dict[str, Any], **kwargs: Any) -> bytes:
        timeout = kwargs.get("timeout")
        until = time.monotonic() + timeout if isinstance(timeout, int | float) else float("inf")
        answer = self.get_response_from_post_request(endpoint_uri, data=data, **kwargs | {"stream": True})
        with answer as response:
            response.raise_for_status()
            return self._read(response, until)

    def _read(self, response: Response, until: float) -> bytes:
        content = bytearray()
        while part := _part(response):
            content += part
            if len(content) > self._body_max:
                raise NodeError(f"the node's answer has more than {self._body_max} bytes: another node is needed")
            if time.monotonic() > until:
                raise NodeUnreachable("the node's answer does not come to an end in time")
        return bytes(content)


def _part(response: Response) -> bytes:
    """The next bytes; what goes wrong in mid-body is raised as `requests` raises it before."""
    try:
        part: bytes = response.raw.read1(CHUNK, decode_content=True)
    except ReadTimeoutError as error:
        raise ReadTimeout(error) from error
    except DecodeError as error:
        raise NodeError(f"the node's answer cannot be decompressed: {error}") from error
    except HTTPError as error:
        raise RequestsConnectionError(error) from error
    return part
