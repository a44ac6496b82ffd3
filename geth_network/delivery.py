"""Hands our sealers what waits in our RPC nodes' pools: geth tells its peers of a transaction once.

A sealer that refused it then, say because its head did not yet tell of the sender's first ether, hears of it no more.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from geth_network.errors import RpcError
from geth_network.rpc import Ask

MOST_AT_ONCE = 100


@dataclass
class Delivery:
    """What waited at the last round; who still waits at the next one is handed over."""

    waiting: frozenset[str] = frozenset()

    def round(self, holders: Iterable[Ask], sealers: Iterable[Ask]) -> list[str]:
        """Look once; return the hashes that were handed over."""
        held = {name: ask for ask in holders for name in pending(ask)}
        overdue = sorted(held.keys() & self.waiting)[:MOST_AT_ONCE]
        self.waiting = frozenset(held)
        raws: list[str] = []
        for holder in {held[name] for name in overdue}:
            raws += answers(holder, "eth_getRawTransactionByHash", [name for name in overdue if held[name] is holder])
        for sealer in sealers:
            answers(sealer, "eth_sendRawTransaction", raws)
        return overdue


def pending(ask: Ask) -> list[str]:
    """The hashes in a node's pool that the next blocks could hold; none where it does not answer."""
    with suppress(RpcError):
        if int(ask("txpool_status")["pending"], 16):
            accounts = ask("txpool_content")["pending"].values()
            return [str(one["hash"]) for by_nonce in accounts for one in by_nonce.values()]
    return []


def answers(ask: Ask, method: str, questions: Iterable[str]) -> list[str]:
    """What a node answers, without its refusals, such as of what it has; after a silence it is asked no more.

    Each further question to a node that hangs would cost the watchdog another time-out.
    """
    found = []
    for question in questions:
        try:
            found.append(ask(method, question))
        except RpcError as refusal:
            if refusal.code is None:
                break
    return [answer for answer in found if answer]
