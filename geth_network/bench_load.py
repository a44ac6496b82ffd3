"""Transfers on a chain that runs: how many a second, and how long one takes."""

import json
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_account.signers.local import LocalAccount

from geth_network.rpc import Ask, HttpNode, head_of

BATCH = 100
PATIENCE_S = 120.0


def signed_transfers(accounts: Sequence[LocalAccount], ask: Ask, count: int) -> list[str]:
    """`count` transfers of one wei, the same number from each account, signed ahead."""
    chain_id = int(ask("eth_chainId"), 16)
    nonces = {
        account.address: int(ask("eth_getTransactionCount", account.address, "latest"), 16) for account in accounts
    }
    raw = []
    for index in range(count):
        account = accounts[index % len(accounts)]
        details: dict[str, Any] = {
            "chainId": chain_id, "nonce": nonces[account.address] + index // len(accounts), "gas": 21_000,
            "to": "0x" + "56" * 20, "value": 1, "gasPrice": 10**10,
        }  # fmt: skip
        raw.append("0x" + bytes(account.sign_transaction(details).raw_transaction).hex())
    return raw


def send_all(node: HttpNode, raw: Sequence[str]) -> list[str]:
    """Sends transactions, a hundred in a request; returns their hashes."""
    sent: list[str] = []
    for start in range(0, len(raw), BATCH):
        calls = [
            {"jsonrpc": "2.0", "id": index, "method": "eth_sendRawTransaction", "params": [transaction]}
            for index, transaction in enumerate(raw[start : start + BATCH])
        ]
        request = urllib.request.Request(  # noqa: S310  # the URL is our own node's
            node.url, json.dumps(calls).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:  # noqa: S310
            answers = sorted(json.loads(response.read()), key=lambda answer: int(answer["id"]))
        sent += [str(answer["result"]) for answer in answers]
    return sent


@dataclass(frozen=True)
class Throughput:
    """How fast prepared transfers were mined."""

    per_s: float
    sent_per_s: float
    blocks: int
    largest_block: int


def throughput(node: HttpNode, accounts: Sequence[LocalAccount], count: int) -> Throughput:
    """Sends prepared transfers as fast as the node takes them, and waits until all are mined."""
    raw = signed_transfers(accounts, node, count)
    start, started = head_of(node).number, time.monotonic()
    sent = send_all(node, raw)
    sent_s = time.monotonic() - started
    for transaction in sent[-len(accounts) :]:
        while node("eth_getTransactionReceipt", transaction) is None:
            if time.monotonic() - started > PATIENCE_S:
                raise SystemExit(f"{transaction} is not mined after {PATIENCE_S:.0f} s")
            time.sleep(0.02)
    took, last = time.monotonic() - started, head_of(node).number
    sizes = [int(node("eth_getBlockTransactionCountByNumber", hex(n)), 16) for n in range(start + 1, last + 1)]
    return Throughput(count / took, count / sent_s, last - start, max(sizes))


@dataclass
class Latency:
    """Seconds from sending to the block, and to so many blocks on top of it."""

    mined_s: list[float] = field(default_factory=list)
    confirmed_s: list[float] = field(default_factory=list)


@dataclass
class Follower:
    """Watches the head for transfers that were sent."""

    ask: Ask
    confirmations: int
    seen: int
    latency: Latency = field(default_factory=Latency)
    sent: dict[str, float] = field(default_factory=dict)
    mined: list[tuple[int, float]] = field(default_factory=list)

    def look(self) -> None:
        """Notes what the new blocks hold, and what has now enough blocks on top."""
        head = int(self.ask("eth_blockNumber"), 16)
        now = time.monotonic()
        for number in range(self.seen + 1, head + 1):
            for transaction in self.ask("eth_getBlockByNumber", hex(number), False)["transactions"]:
                if (at := self.sent.pop(transaction, None)) is not None:
                    self.latency.mined_s.append(now - at)
                    self.mined.append((number, at))
        self.seen = max(self.seen, head)
        done = [(number, at) for number, at in self.mined if number + self.confirmations <= head]
        self.latency.confirmed_s += [now - at for _, at in done]
        self.mined = [waiting for waiting in self.mined if waiting not in done]


def latency(ask: Ask, accounts: Sequence[LocalAccount], count: int, confirmations: int, pace_s: float = 0.1) -> Latency:
    """Sends a transfer at each beat, so that they fall on every part of a period."""
    follower = Follower(ask, confirmations, head_of(ask).number)
    raw, started = signed_transfers(accounts, ask, count), time.monotonic()
    while len(follower.latency.confirmed_s) < count:
        if raw and time.monotonic() - started >= pace_s * (count - len(raw)):
            at = time.monotonic()
            follower.sent[ask("eth_sendRawTransaction", raw.pop(0))] = at
        follower.look()
        if time.monotonic() - started > PATIENCE_S:
            raise SystemExit(f"of {count} transfers {len(follower.latency.confirmed_s)} were confirmed in time")
        time.sleep(0.01)
    return follower.latency
