"""Mutants of allowed and forbidden bodies, the same for the same seed."""

import json
import random
from collections.abc import Callable

TOKENS = [
    b'"Method":"admin_peers",', b'"method":"admin_peers",', b'"PARAMS":[],', b'"param\xc5\xbf":[],',
    b'"\\u006dethod":"debug_setHead",', b'"Id":2,', b'"jsonrpc":"2.0",', b'"id":-0,', b'"id":1e2,',
    b'"id":9007199254740993,', b'"id":null,', b'"to":"0x', b'"To":"0x00",', b'"data":"0xdeadbeef",',
    b'"DATA":"0xdeadbeef",', b'"input":"0x8f32d59b",', b'"from":"0x', b'"latest"', b'"pending"', b'"earliest"',
    b'null', b'true', b'false', b'{}', b'[]', b'[', b']', b'{', b'}', b',', b':', b'"', b'\\', b'\\n', b'\n',
    b'\r\n', b'\x00', b'\xff', b'\xef\xbb\xbf', b'\xe2\x84\xaa', b'\\ud800', b'\\u0000', b'1e400', b'NaN', b'0x0',
    b'-1', b'.5', b'01', b'/**/', b'//', b'eth_sendRawTransaction', b'eth_call', b'eth_getProof',
    b'eth_estimateGas', b'admin_peers', b'personal_sign', b'8f32d59b', b'a9059cbb', b'__proto__', b'toString'
]  # fmt: skip


def mutants(seeds: list[bytes], count: int, seed: int) -> list[bytes]:
    """`count` bodies, each one to four mutations away from one of the seeds."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        body = chance.choice(seeds)
        for _ in range(chance.randint(1, 4)):
            body = chance.choice(MUTATIONS)(body, chance, seeds)
        found.append(body[:60000] or b" ")
    return found


def _flip(body: bytes, chance: random.Random, seeds: list[bytes]) -> bytes:
    at = chance.randrange(len(body) or 1)
    return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]


def _swap_case(body: bytes, chance: random.Random, seeds: list[bytes]) -> bytes:
    at = chance.randrange(len(body) or 1)
    return body[:at] + body[at : at + 1].swapcase() + body[at + 1 :]


def _insert(body: bytes, chance: random.Random, seeds: list[bytes]) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + chance.choice(TOKENS) + body[at:]


def _insert_member(body: bytes, chance: random.Random, seeds: list[bytes]) -> bytes:
    at = body.find(b"{", chance.randrange(len(body) or 1)) + 1
    return body[:at] + chance.choice(TOKENS[:18]) + body[at:]


def _cut(body: bytes, chance: random.Random, seeds: list[bytes]) -> bytes:
    at = chance.randrange(len(body) or 1)
    return body[:at] + body[at + chance.randint(1, 8) :]


def _repeat(body: bytes, chance: random.Random, seeds: list[bytes]) -> bytes:
    at, length = chance.randrange(len(body) or 1), chance.randint(1, 60)
    return body[: at + length] + body[at:]


def _splice(body: bytes, chance: random.Random, seeds: list[bytes]) -> bytes:
    other = chance.choice(seeds)
    return body[: chance.randrange(len(body) + 1)] + other[chance.randrange(len(other) + 1) :]


def _batch(body: bytes, chance: random.Random, seeds: list[bytes]) -> bytes:
    return b"[" + b",".join([body, *chance.choices(seeds, k=chance.randint(0, 3))]) + b"]"


def _member(body: bytes, chance: random.Random, seeds: list[bytes]) -> bytes:
    """Exchange a value anywhere in the document, keeping it JSON."""
    try:
        document, other = json.loads(body), json.loads(chance.choice(seeds))
    except (ValueError, RecursionError):
        return _insert(body, chance, seeds)
    if isinstance(document, dict) and isinstance(other, dict) and document:
        key = chance.choice(list(document))
        document[chance.choice([key, key, key.upper(), key.title()])] = other.get(
            key, chance.choice(list(other.values()))
        )
    return json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "replace")


MUTATIONS: list[Callable[[bytes, random.Random, list[bytes]], bytes]] = [
    _flip, _swap_case, _insert, _insert_member, _cut, _repeat, _splice, _batch, _member, _member, _member,
]  # fmt: skip
