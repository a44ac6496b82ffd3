"""Hands our sealers what waits in our RPC nodes' pools: geth tells its peers of a transaction once.

A sealer that refused it then, say because its head did not yet tell of the sender's first ether, hears of it no more.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass

from geth_network.errors import RpcError
from geth_network.rpc import Ask

MOST_AT_ONCE = 100


@dataclass
class Delivery:
    """What waited at the last round; who still waits at the next one is handed over."""

    waiting: frozenset[str] = frozenset()

    def round(self, holders: Iterable[Ask], sealers: Collection[Ask]) -> list[str]:
        """Look once; return the hashes that were handed over."""
        held = {name: ask for ask in holders for name in pending(ask)}
        overdue = sorted(held.keys() & self.waiting)[:MOST_AT_ONCE]
        self.waiting = frozenset(held)
        for name in overdue:
            hand_over(name, held[name], sealers)
        return overdue


def pending(ask: Ask) -> list[str]:
    """The hashes in a node's pool that the next blocks could hold; none where it does not answer."""
    with suppress(RpcError):
        if int(ask("txpool_status")["pending"], 16):
            accounts = ask("txpool_content")["pending"].values()
            return [str(one["hash"]) for by_nonce in accounts for one in by_nonce.values()]
    return []


def hand_over(name: str, holder: Ask, sealers: Iterable[Ask]) -> None:
    """Send a transaction to the sealers; one that has it says so, one that refuses it is asked again next time."""
    with suppress(RpcError):
        raw = holder("eth_getRawTransactionByHash", name)
        for ask in sealers:
            with suppress(RpcError):
                ask("eth_sendRawTransaction", raw)
