"""How people and their wallets bear it that parts go away: they ask again until what they want is so."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
from web3 import HTTPProvider, Web3
from web3.middleware import ExtraDataToPOAMiddleware
from web3.types import RPCEndpoint, RPCResponse

from contracts.errors import LadingError
from scripts.story.processes import ProcessFailed
from scripts.story.visitor import PageRefused

PATIENCE_S = 600.0
PAUSE_S = 0.5
TROUBLES = (LadingError, OSError, httpx.HTTPError, ProcessFailed, PageRefused, KeyError)


class PatientProvider(HTTPProvider):
    """Asks one address after the other until one answers."""

    def __init__(self, *urls: str) -> None:
        super().__init__(urls[0], request_kwargs={"timeout": 5}, exception_retry_configuration=None)
        self._providers = [
            HTTPProvider(url, request_kwargs={"timeout": 5}, exception_retry_configuration=None) for url in urls
        ]

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One question."""
        return self._ask(lambda provider: provider.make_request(method, params))

    def make_batch_request(self, batch_requests: Any) -> Any:
        """Many questions, asked of one node."""
        return self._ask(lambda provider: provider.make_batch_request(batch_requests))

    def _ask(self, question: Callable[[HTTPProvider], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return question(self._providers[0])
            except (OSError, ValueError):
                if time.monotonic() > deadline:
                    raise
                self._providers = [*self._providers[1:], self._providers[0]]
                time.sleep(PAUSE_S / len(self._providers))


def patient(*urls: str) -> Web3:
    """A connection that outlasts what these addresses suffer."""
    provider = PatientProvider(*urls)
    provider.global_ccip_read_enabled = False
    w3 = Web3(provider)
    w3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    return w3


def ensure(done: Callable[[], bool], act: Callable[[], object], what: str) -> None:
    """Act until it is so; whether an act that failed did something shows in what is so."""
    deadline, last = time.monotonic() + PATIENCE_S, None
    while not done():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_S:.0f} s; last: {last!r}"
        try:
            act()
        except TROUBLES as error:
            last = error
            time.sleep(PAUSE_S)
