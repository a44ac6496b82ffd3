"""The chain over RPC, by JSON alone: every block, transaction and receipt, and what each sale is now."""

from __future__ import annotations

import json
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.abi import selectors
from contracts.events import decode_log
from tests.e2e.auditor.books import Account, Entry, Sale

BATCH = 50
STATUSES = ("Listed", "Sold", "Releasing", "Released", "Cancelled", "Refunded")
NOBODY = "0x" + "0" * 40
ENVELOPE = {"contract", "block_number", "block_hash", "transaction_hash", "log_index"}


@dataclass(frozen=True)
class Rpc:
    """One node."""

    url: str

    def __call__(self, method: str, *params: object) -> Any:
        """One answer."""
        return self.all([(method, list(params))])[0]

    def all(self, calls: Sequence[tuple[str, list[object]]]) -> list[Any]:
        """Many answers, in order."""
        return [answer for start in range(0, len(calls), BATCH) for answer in self._ask(calls[start : start + BATCH])]

    def _ask(self, calls: Sequence[tuple[str, list[object]]]) -> Iterator[Any]:
        body = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(calls)
        ]
        request = urllib.request.Request(  # noqa: S310  # a node of ours
            self.url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            for one in sorted(json.load(answer), key=lambda found: int(found["id"])):
                if "error" in one:
                    raise ValueError(f"{calls[one['id']]}: {one['error']}")
                yield one["result"]


@dataclass
class Record:
    """All that has happened up to one block."""

    head: str
    transactions: list[dict[str, Any]] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, rpc: Rpc) -> Record:
        """From the first block to the newest."""
        head = str(rpc("eth_blockNumber"))
        blocks = rpc.all([("eth_getBlockByNumber", [hex(number), True]) for number in range(int(head, 16) + 1)])
        record = cls(head, [one for block in blocks for one in block["transactions"]])
        record.receipts = rpc.all([("eth_getTransactionReceipt", [one["hash"]]) for one in record.transactions])
        return record

    @property
    def events(self) -> list[Any]:
        """Every event of our contracts, decoded, in order."""
        logs = [log for receipt in self.receipts for log in receipt["logs"]]
        return [event for log in logs if (event := decode_log(log)) is not None]


def read_sales(rpc: Rpc, record: Record) -> tuple[Sale, ...]:
    """Every sale that was ever listed."""
    listed = [event for event in record.events if type(event).__name__ == "Listed"]
    happened: dict[str, list[Entry]] = defaultdict(list)
    buyers: dict[str, str] = {}
    for event in record.events:
        args = {name: getattr(event, name) for name in event.__slots__ if name not in ENVELOPE}
        happened[event.contract].append(Entry(type(event).__name__, args, event.block_number))
        if type(event).__name__ == "Sold":
            buyers[event.contract] = args["buyer"]
    status = selectors("Sale")["status()"]
    asked = [[("eth_call", [{"to": one.sale, "data": status}, record.head]),
              ("eth_getBalance", [one.sale, record.head])] for one in listed]  # fmt: skip
    answers = rpc.all([call for pair in asked for call in pair])
    return tuple(
        Sale(one.sale, one.seller, one.terms.price_wei, one.terms.window_s, tuple(happened[one.sale]),
             STATUSES[int(answers[2 * number], 16)], buyers.get(one.sale, NOBODY), int(answers[2 * number + 1], 16))
        for number, one in enumerate(listed)
    )  # fmt: skip


def read_accounts(rpc: Rpc, record: Record, sales: Sequence[Sale], apart: set[str]) -> tuple[Account, ...]:
    """Everybody who sent or was paid, but for contracts and those apart: whom the genesis or sealing pays."""
    moved: dict[str, int] = defaultdict(int)
    for sent, receipt in zip(record.transactions, record.receipts, strict=True):
        done, fee = int(receipt["status"], 16), int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
        moved[sent["from"].lower()] -= fee + done * int(sent["value"], 16)
        if sent["to"]:
            moved[sent["to"].lower()] += done * int(sent["value"], 16)
    for account, wei in _payouts(sales):
        moved[account.lower()] += wei
    contracts = {sale.address.lower() for sale in sales}
    people = sorted(set(moved) - contracts - {one.lower() for one in apart})
    balances = rpc.all([("eth_getBalance", [one, record.head]) for one in people])
    return tuple(Account(one, moved[one], int(now, 16)) for one, now in zip(people, balances, strict=True))


def _payouts(sales: Sequence[Sale]) -> Iterator[tuple[str, int]]:
    """What contracts paid, by their own events: no transaction of anybody's shows it."""
    for sale in sales:
        to_seller = "Released" if sale.window_s else "Sold"
        for event in sale.events:
            if event.name == to_seller:
                yield sale.seller, sale.price_wei
            elif event.name == "Refunded":
                yield sale.buyer, sale.price_wei
            elif event.name == "Undelivered":
                yield str(event.args["to"]), -sale.price_wei
            elif event.name == "Withdrawn":
                yield str(event.args["to"]), sale.price_wei
