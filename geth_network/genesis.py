"""The genesis block of a Clique chain, and its hash; pure.

Clique is EIP-225. The rules stop at London: later forks need a beacon chain, which a private chain does not have.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_utils.address import to_canonical_address
from eth_utils.crypto import keccak
from trie.hexary import HexaryTrie

from geth_network.errors import SettingsError

FORKS = (
    "homestead", "eip150", "eip155", "eip158", "byzantium",
    "constantinople", "petersburg", "istanbul", "berlin", "london",
)  # fmt: skip
MAX_CHAIN_ID = 2**53 - 1  # what JavaScript, and so a browser wallet, counts exactly
BASE_FEE_WEI = 7  # below it EIP-1559's integer division stops moving
EMPTY_UNCLES = keccak(rlp.encode([]))
EMPTY_TRIE = keccak(rlp.encode(b""))


def check_rules(*, chain_id: int, period_s: int, epoch: int, gas_limit: int) -> None:
    """Refuses values with which a chain would start and then disappoint."""
    if not 1 <= chain_id <= MAX_CHAIN_ID:
        raise SettingsError(f"chain id {chain_id} is not between 1 and 2^53 - 1: choose another")
    if period_s < 1:
        raise SettingsError("period 0 seals only when transactions wait, so confirmations never come: choose 1 or more")
    if epoch < 2:
        raise SettingsError(f"epoch {epoch} is too short: choose 2 blocks or more (1000 is usual)")
    if not 5_000_000 <= gas_limit <= 2**53:
        raise SettingsError(f"gas limit {gas_limit} is outside 5,000,000 … 2^53")


def extra_data(sealers: Sequence[str]) -> bytes:
    """32 bytes of vanity, the sealers' addresses in order, 65 bytes where a seal would be."""
    return bytes(32) + b"".join(sorted(map(to_canonical_address, sealers))) + bytes(65)


def build_genesis(
    *, chain_id: int, period_s: int, epoch: int, gas_limit: int, sealers: Sequence[str], alloc_wei: Mapping[str, int]
) -> dict[str, Any]:
    """The document that `geth init` and `anvil --init` read."""
    check_rules(chain_id=chain_id, period_s=period_s, epoch=epoch, gas_limit=gas_limit)
    return {
        "config": {"chainId": chain_id}
        | {f"{fork}Block": 0 for fork in FORKS}
        | {"clique": {"period": period_s, "epoch": epoch}},
        "difficulty": "0x1",
        "gasLimit": hex(gas_limit),
        "baseFeePerGas": hex(BASE_FEE_WEI),
        "extraData": "0x" + extra_data(sealers).hex(),
        "alloc": {address: {"balance": hex(wei)} for address, wei in sorted(alloc_wei.items())},
    }


def genesis_text(genesis: Mapping[str, Any]) -> str:
    """The text of genesis.json."""
    return json.dumps(genesis, indent=2) + "\n"


def state_root(alloc_wei: Mapping[str, int]) -> bytes:
    """The root of the state in which each address has its balance and nothing else."""
    state = HexaryTrie(db={})
    for address, wei in alloc_wei.items():
        state[keccak(to_canonical_address(address))] = rlp.encode([0, wei, EMPTY_TRIE, keccak(b"")])
    return bytes(state.root_hash)


def genesis_hash(genesis: Mapping[str, Any]) -> str:
    """The hash of block 0, as every node will compute it (header fields as of London, EIP-1559)."""
    alloc_wei = {address: int(entry["balance"], 16) for address, entry in genesis["alloc"].items()}
    header = [
        bytes(32), EMPTY_UNCLES, bytes(20), state_root(alloc_wei), EMPTY_TRIE, EMPTY_TRIE, bytes(256),
        int(genesis["difficulty"], 16), 0, int(genesis["gasLimit"], 16), 0, 0,
        bytes.fromhex(genesis["extraData"][2:]), bytes(32), bytes(8), int(genesis["baseFeePerGas"], 16),
    ]  # fmt: skip
    return "0x" + keccak(rlp.encode(header)).hex()
