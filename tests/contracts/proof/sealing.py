"""A Clique chain in memory: headers really signed by keys of our own, states really in tries, and a node's answers.

So every rule of a proof can be broken on purpose, by sealers and by nodes, without starting one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from coincurve import PrivateKey
from eth_hash.auto import keccak
from eth_utils import to_checksum_address
from rlp.codec import encode_raw
from trie import HexaryTrie

from contracts.batch import Request, RpcError
from contracts.clock import Seen
from contracts.deployment import Deployment
from contracts.headers import FIELDS, SEAL, Header
from contracts.hexadecimal import minimal, to_hex
from contracts.sale_state import SaleState, Status
from contracts.slot import encode_slot
from contracts.terms import Terms, clone_code, sale_address

GENESIS_TIME = 1_800_000_000
CHAIN_ID = 20_260
NAMES = [name for name, _ in FIELDS]
ITEM = {name: index for index, name in enumerate(NAMES)}
EMPTY = bytes(keccak(encode_raw(b"")))

BUYER = to_checksum_address("0x" + "b1" * 20)
STRANGER = to_checksum_address("0x" + "ee" * 20)
FACTORY = to_checksum_address("0x" + "fa" * 20)
IMPLEMENTATION = to_checksum_address("0x" + "1a" * 20)
REGISTRY = to_checksum_address("0x" + "9e" * 20)
DEPLOYMENT = Deployment(CHAIN_ID, FACTORY, IMPLEMENTATION, REGISTRY, "sale")
TERMS = Terms(
    seller=to_checksum_address("0x" + "5e" * 20),
    price_wei=50 * 10**18,
    window_s=0,
    site=1,
    edition=0,
    year=2019,
    make="Nimbus",
    model="alpha",
    number="4AA6",
)
SALE = sale_address(FACTORY, IMPLEMENTATION, TERMS)
CODE = clone_code(IMPLEMENTATION, TERMS)
SOLD = SaleState(Status.SOLD, BUYER, 0, 0, 0)
RELEASING = SaleState(Status.RELEASING, BUYER, 0, 0, 7)


def key(name: str) -> PrivateKey:
    """The private key of this name."""
    return PrivateKey(keccak(f"lading test {name}".encode()))


def address(private: PrivateKey) -> bytes:
    """The address of a key."""
    return bytes(keccak(private.public_key.format(compressed=False)[1:])[12:])


def keyring(count: int, prefix: str = "sealer") -> list[PrivateKey]:
    """Keys of `count` sealers, sorted by address as Clique sorts them."""
    return sorted((key(f"{prefix} {number}") for number in range(count)), key=address)


@dataclass(frozen=True)
class Contract:
    """An account of the state."""

    code: bytes = b""
    slots: dict[int, int] = field(default_factory=dict)
    nonce: int = 1
    balance_wei: int = 0


class World:
    """A state: accounts by address, in a trie."""

    def __init__(self, accounts: dict[bytes, Contract]) -> None:
        self.accounts = accounts
        self.storage = {place: self._storage(account) for place, account in accounts.items()}
        self.trie = HexaryTrie({})
        for place, account in accounts.items():
            root = self.storage[place].root_hash
            body = [minimal(account.nonce), minimal(account.balance_wei), root, keccak(account.code)]
            self.trie[keccak(place)] = encode_raw(body)

    @staticmethod
    def _storage(account: Contract) -> HexaryTrie:
        trie = HexaryTrie({})
        for slot, word in account.slots.items():
            if word:
                trie[keccak(slot.to_bytes(32, "big"))] = encode_raw(minimal(word))
        return trie

    @property
    def root(self) -> bytes:
        """The state root."""
        return bytes(self.trie.root_hash)

    def proof(self, place: bytes, slot_key: str) -> dict[str, Any]:
        """What geth answers to `eth_getProof`."""
        slot = int(slot_key, 16).to_bytes(32, "big")
        account = self.accounts.get(place)
        storage = self.storage.get(place, HexaryTrie({}))
        word = account.slots.get(int(slot_key, 16), 0) if account else 0
        return {
            "address": to_hex(place),
            "accountProof": [to_hex(encode_raw(node)) for node in self.trie.get_proof(keccak(place))],
            "balance": hex(account.balance_wei if account else 0),
            "codeHash": to_hex(keccak(account.code)) if account else to_hex(bytes(32)),
            "nonce": hex(account.nonce if account else 0),
            "storageHash": to_hex(storage.root_hash) if account else to_hex(bytes(32)),
            "storageProof": [
                {
                    "key": slot_key,
                    "value": hex(word),
                    "proof": [to_hex(encode_raw(node)) for node in storage.get_proof(keccak(slot))],
                }
            ],
        }


def world(state: SaleState = SOLD, *, sale: str = SALE, code: bytes = CODE, others: int = 20) -> World:
    """A state with a sale in it and some other accounts."""
    accounts = {keccak(f"other {number}".encode())[:20]: Contract(balance_wei=number) for number in range(others)}
    accounts[bytes.fromhex(sale[2:])] = Contract(code, {0: encode_slot(state)})
    return World(accounts)


def sign(header: Header, private: PrivateKey) -> Header:
    """The header with this key's seal in the place of whatever is there."""
    seal = private.sign_recoverable(header.seal_hash, hasher=None)
    items = list(header.items)
    items[ITEM["extraData"]] = header.extra[:-SEAL] + seal
    return Header(tuple(items))


class Chain:
    """Blocks on one another; `sealers` are the keys that seal in turn."""

    def __init__(
        self,
        sealers: Sequence[PrivateKey],
        *,
        epoch: int = 30_000,
        period_s: int = 1,
        start: World | None = None,
        at: int = GENESIS_TIME,
        first: int = 0,
    ) -> None:
        self.sealers = list(sealers)
        self.epoch = epoch
        self.period_s = period_s
        self.first = first
        self.worlds = [start or world()]
        self.blocks = [self._genesis(at)]

    @property
    def head(self) -> Header:
        """The newest header."""
        return self.blocks[-1]

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """The sealers' addresses, sorted."""
        return tuple(sorted(address(private) for private in self.sealers))

    def fork(self) -> Chain:
        """Another chain with the same blocks so far."""
        twin = Chain(self.sealers, epoch=self.epoch, period_s=self.period_s)
        twin.first, twin.blocks, twin.worlds = self.first, list(self.blocks), list(self.worlds)
        return twin

    def block(self, number: int) -> Header | None:
        """The header of this number."""
        index = number - self.first
        return self.blocks[index] if 0 <= index < len(self.blocks) else None

    def seal(
        self, count: int = 1, *, by: PrivateKey | None = None, state: World | None = None, **fields: bytes
    ) -> Header:
        """Seal blocks on top, in turn or by one key; `fields` overrides items before signing."""
        for _ in range(count):
            self.worlds.append(state or self.worlds[-1])
            self.blocks.append(sign(self._next(by, fields), by or self._in_turn()))
        return self.head

    def _in_turn(self) -> PrivateKey:
        number = self.head.number + 1
        return self.sealers[number % len(self.sealers)]

    def _next(self, by: PrivateKey | None, fields: dict[str, bytes]) -> Header:
        number = self.head.number + 1
        listed = b"".join(self.addresses) if number % self.epoch == 0 else b""
        plain = {
            "parentHash": self.head.hash,
            "stateRoot": self.worlds[-1].root,
            "difficulty": b"\x02" if by is None or by == self._in_turn() else b"\x01",
            "number": minimal(number),
            "timestamp": minimal(self.head.timestamp + self.period_s),
            "extraData": bytes(32) + listed + bytes(SEAL),
        }
        return Header(_items(plain | fields))

    def _genesis(self, at: int) -> Header:
        return Header(
            _items(
                {
                    "stateRoot": self.worlds[0].root,
                    "difficulty": b"\x01",
                    "number": minimal(self.first),
                    "timestamp": minimal(at),
                    "extraData": bytes(32) + b"".join(self.addresses) + bytes(SEAL),
                }
            )
        )


def _items(fields: dict[str, bytes]) -> tuple[bytes, ...]:
    plain = {name: bytes(size) if size > 0 else b"" for name, size in FIELDS}
    plain |= {
        "sha3Uncles": bytes(keccak(encode_raw([]))),
        "transactionsRoot": EMPTY,
        "receiptsRoot": EMPTY,
        "gasLimit": minimal(30_000_000),
        "baseFeePerGas": minimal(7),
    }
    return tuple((plain | fields)[name] for name in NAMES)


def as_json(header: Header) -> dict[str, Any]:
    """What geth answers to `eth_getBlockByNumber`."""
    plain: dict[str, Any] = {"hash": to_hex(header.hash), "transactions": [], "uncles": [], "size": "0x26a"}
    for (name, size), item in zip(FIELDS, header.items, strict=True):
        plain[name] = hex(int.from_bytes(item, "big")) if size < 0 else to_hex(item)
    return plain


class Node:
    """Answers as geth does, about one chain; what a test rewrites stands in its subclasses."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.batches: list[list[Request]] = []

    def __call__(self, batch: Sequence[Request]) -> list[object]:
        """The results of a batch."""
        self.batches.append(list(batch))
        return [self.answer(method, params) for method, params in batch]

    def answer(self, method: str, params: list[Any]) -> object:
        """The result of one request."""
        if method == "eth_blockNumber":
            return hex(self.chain.head.number)
        if method == "eth_getBlockByNumber":
            header = self.chain.block(int(params[0], 16))
            return as_json(header) if header else None
        return self._state(method, params)

    def _state(self, method: str, params: list[Any]) -> object:
        index = int(params[-1], 16) - self.chain.first
        if not 0 <= index < len(self.chain.worlds):
            return RpcError(-32000, "header not found")
        state = self.chain.worlds[index]
        if method == "eth_getProof":
            return state.proof(bytes.fromhex(params[0][2:]), params[1][0])
        if method == "eth_getCode":
            account = state.accounts.get(bytes.fromhex(params[0][2:]))
            return to_hex(account.code if account else b"")
        return self.view(state, params[0])

    def view(self, state: World, call: dict[str, str]) -> object:
        """What an `eth_call` of `isSale` or `verifyOwnership` says: yes."""
        return to_hex((1).to_bytes(32, "big"))


def seen(header: Header) -> Seen:
    """This header as the highest head."""
    return Seen.of(header)
