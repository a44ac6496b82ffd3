"""A range of the chain as a node tells it: blocks, transactions, receipts and their events, all of one branch."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import accumulate, pairwise
from typing import Any

from web3.exceptions import Web3RPCError

from contracts.errors import decode_error
from contracts.events import TOPICS, Event, decode_log
from webapp.chain import Chain, Head
from webapp.errors import NodeUnreachable
from webapp.index.ledger import Json, block_row
from webapp.index.mapping import Entry, Row, known
from webapp.node import BATCH, RpcError

ENOUGH = 2_000
"""A range ends early once it holds so many transactions."""


@dataclass(frozen=True)
class Span:
    """Blocks on one another; `sent` holds block, transaction and transaction receipt of each that was mined."""

    blocks: list[Row]
    sent: list[tuple[Row, Json, Json]]
    entries: list[Entry]
    refusals: list[Row]

    @property
    def top(self) -> Row:
        """What the index remembers of the newest block."""
        return {name: self.blocks[-1][name] for name in ("chain_id", "number", "hash", "parent_hash", "timestamp")}


def read_span(chain: Chain, base: Head, last: int) -> Span | None:
    """Return what lies on `base`, at most up to block `last`; `None` if the chain changed meanwhile.

    Raises:
        NodeUnreachable: no node answers, or it does not have these blocks.
    """
    blocks = list(_blocks(chain, base.number + 1, last))
    rows = [block_row(chain.chain_id, block) for block in blocks]
    if not rows or rows[0]["parent_hash"] != base.hash:
        return None
    if any(upper["parent_hash"] != lower["hash"] for lower, upper in pairwise(rows)):
        return None
    mined = [(row, sent) for row, block in zip(rows, blocks, strict=True) for sent in block["transactions"]]
    receipts = chain.node.batch([("eth_getTransactionReceipt", [sent["hash"]]) for _row, sent in mined])
    sent = []
    for (row, one), receipt in zip(mined, receipts, strict=True):
        if not isinstance(receipt, dict) or receipt["blockHash"] != row["hash"]:
            return None
        sent.append((row, one, receipt))
    times = {row["hash"]: row["timestamp"] for row in rows}
    logs = [log for _row, _one, receipt in sent for log in receipt["logs"]]
    found = [entry_of(chain.chain_id, log, times) for log in logs]
    return Span(rows, sent, [entry for entry in found if entry], list(_refusals(chain, sent)))


def _blocks(chain: Chain, first: int, last: int) -> Iterator[Json]:
    """Ask how much blocks hold before all of it is asked for: a hundred full ones at once take a node too long."""
    room = ENOUGH
    for start in range(first, last + 1, BATCH):
        numbers = range(start, min(start + BATCH, last + 1))
        held = list(accumulate(_counts(chain, numbers)))
        fit = 1 + sum(so_far < room for so_far in held[:-1])
        for block in chain.node.batch([("eth_getBlockByNumber", [hex(number), True]) for number in numbers[:fit]]):
            if not isinstance(block, dict):
                raise NodeUnreachable("the node does not have that block yet")
            yield block
        room -= held[fit - 1]
        if room <= 0:
            return


def _counts(chain: Chain, numbers: range) -> Iterator[int]:
    for count in chain.node.batch([("eth_getBlockTransactionCountByNumber", [hex(number)]) for number in numbers]):
        if not isinstance(count, str):
            raise NodeUnreachable("the node does not have that block yet")
        yield int(count, 16)


def _refusals(chain: Chain, sent: list[tuple[Row, Json, Json]]) -> Iterator[Row]:
    """Ask for the contract's own reason: the same call again, while the node still has the state."""
    failed = [(row, one, receipt) for row, one, receipt in sent if receipt["status"] != "0x1"]
    calls = [("eth_call", [_again(one), {"blockHash": row["hash"]}]) for row, one, _receipt in failed]
    for (row, one, receipt), answer in zip(failed, chain.node.batch(calls), strict=True):
        words = _why(one, receipt, answer)
        if words:
            yield {"hash": one["hash"], "block_hash": row["hash"], "words": words}


def _again(sent: Json) -> Json:
    call = {"from": sent["from"], "data": sent["input"], "value": sent["value"], "gas": sent["gas"]}
    return {**call, "to": sent["to"]} if sent.get("to") else call


def _why(sent: Json, receipt: Json, answer: Any) -> str:
    if isinstance(answer, RpcError):
        reason = decode_error(Web3RPCError(str(answer), rpc_response=answer.answer))
        if reason is not None:
            return str(reason)
    return "it ran out of gas" if receipt["gasUsed"] == sent["gas"] else ""


def entry_of(chain_id: int, log: Json, times: dict[str, int]) -> Entry | None:
    """Return the entry that a log makes, `None` if it is none of ours; `times` tells each block's."""
    event = decode_log(log)
    if event is None or not known(type(event).__name__):
        return None
    return Entry(
        chain_id=chain_id,
        block=event.block_number,
        log_index=event.log_index,
        block_hash=event.block_hash,
        tx_hash=event.transaction_hash,
        timestamp=times[event.block_hash],
        address=event.contract,
        name=type(event).__name__,
        args={name: _plain(getattr(event, name)) for name in _FIELDS[type(event)]},
    )


def _own_fields(kind: type[Event]) -> tuple[str, ...]:
    """Return what an event says beside its place; the terms are kept as their bytes."""
    place = {field.name for field in fields(Event)}
    return tuple(field.name for field in fields(kind) if field.name not in place and field.name != "terms")


_FIELDS = {kind: _own_fields(kind) for kind in TOPICS.values()}


def _plain(value: Any) -> Any:
    return "0x" + bytes(value).hex() if isinstance(value, bytes | bytearray) else value
