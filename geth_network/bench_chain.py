"""A chain made ahead: sealed blocks for `geth import`, in seconds instead of a second each; pure.

Sealers take their turns, a block has no transaction, and time begins with the genesis, in 1970.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_account.signers.local import LocalAccount
from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak

from geth_network.genesis import BASE_FEE_WEI, EMPTY_TRIE, EMPTY_UNCLES, genesis_hash, state_root

IN_TURN = 2  # Clique's difficulty of a block whose sealer's turn it is


def seal(header: list[Any], sealer: PrivateKey) -> None:
    """Signs a header in the last 65 bytes of its extra data (EIP-225)."""
    unsealed = [*header[:12], header[12][:-65], *header[13:]]
    header[12] = header[12][:-65] + sealer.sign_msg_hash(keccak(rlp.encode(unsealed))).to_bytes()


def sealed_blocks(genesis: dict[str, Any], sealers: Sequence[LocalAccount], count: int) -> Iterator[bytes]:
    """The first blocks after a genesis, each in RLP."""
    order = sorted(sealers, key=lambda account: str(account.address).lower())
    keys = [PrivateKey(bytes(account.key)) for account in order]
    listed = b"".join(bytes.fromhex(str(account.address)[2:]) for account in order)
    clique, gas_limit = genesis["config"]["clique"], int(genesis["gasLimit"], 16)
    root = state_root({address: int(entry["balance"], 16) for address, entry in genesis["alloc"].items()})
    parent = bytes.fromhex(genesis_hash(genesis)[2:])
    for number in range(1, count + 1):
        extra = bytes(32) + (listed if number % clique["epoch"] == 0 else b"") + bytes(65)
        header = [
            parent, EMPTY_UNCLES, bytes(20), root, EMPTY_TRIE, EMPTY_TRIE, bytes(256), IN_TURN, number, gas_limit, 0,
            number * clique["period"], extra, bytes(32), bytes(8), BASE_FEE_WEI,
        ]  # fmt: skip
        seal(header, keys[number % len(keys)])
        sealed = rlp.encode(header)
        parent = keccak(sealed)
        yield b"\xf9" + (len(sealed) + 2).to_bytes(2, "big") + sealed + b"\xc0\xc0"  # a list of it and two empty lists
