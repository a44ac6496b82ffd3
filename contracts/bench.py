"""Gas of every transaction of a sale, beside the plain one-contract-per-sale design compiled in the same run.

`python -m contracts.bench` prints a JSON object a line. Needs the compiler and anvil, which scripts/setup brings.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from web3 import Web3
from web3.types import RPCEndpoint

from contracts.calls import Call, send, to_contract
from contracts.chain import connect
from contracts.compile import EVM_VERSION, run_compiler
from contracts.deployment import deploy
from contracts.factory import Listing, SaleFactory
from contracts.registry import DeviceRegistry, sign_consent
from contracts.sale import Sale
from contracts.voucher import sign_voucher

_HERE: Final = Path(__file__).resolve().parent
_PRICE: Final = 50 * 10**18
_WINDOW_S: Final = 30 * 86_400
_NEVER: Final = (1 << 40) - 1
_TARGETS: Final = {
    "create": 89_000,
    "buy, escrow": 48_000,
    "buy, instant": 57_300,
    "release": 44_300,
    "complete with payout": 45_600,
    "complete without": 36_300,
    "create, a sale of 50": 63_500,
    "whole life, escrow": 226_500,
    "whole life, instant": 226_500,
    "verifyOwnership": 26_500,
}


@dataclass(frozen=True)
class Market:
    """A chain with the contracts, one site with one device, and people with ether."""

    w3: Web3
    factory: SaleFactory
    site: int

    def listing(self, window_s: int, edition: int = 0) -> Listing:
        """The published goods."""
        return Listing("Nimbus", "alpha", "4AA6", 2019, _PRICE, window_s, self.site, edition)

    def gas(self, who: str, call: Call) -> int:
        """What it costs this person as a transaction."""
        return int(send(self.w3, person(who), call)["gasUsed"])


def main() -> int:
    """Measure and print."""
    with anvil() as w3:
        ours = measure_ours(_market(w3))
        plain = {runs: measure_plain(w3, runs) for runs in (0, 200)}
    for name, value in ours.items():
        print(json.dumps(_figure(name, value, plain[0])))
    for name, value in plain[200].items():
        line = {"bench": "contracts", "figure": f"plain design, optimised: {name}", "value": value, "unit": "gas"}
        print(json.dumps({**line, "baseline": plain[0][name], "baseline_is": "plain", "ratio": value / plain[0][name]}))
    return 0


def measure_ours(market: Market) -> dict[str, int]:
    """Gas by figure."""
    escrow, instant = _life(market, _WINDOW_S), _life(market, 0)
    batch = market.factory.create_sales([market.listing(_WINDOW_S, edition) for edition in range(2, 52)])
    sale = Sale.at(market.w3, market.factory.address_of(person("seller").address, market.listing(_WINDOW_S, 2)))
    figures = {
        "create": escrow["create"],
        "buy, escrow": escrow["buy"],
        "buy, instant": instant["buy"],
        "release": escrow["release"],
        "complete with payout": escrow["complete"],
        "complete without": instant["complete"],
        "whole life, escrow": sum(escrow.values()),
        "whole life, instant": sum(instant.values()),
        "create, a sale of 50": market.gas("seller", batch) // 50,
    }
    market.gas("buyer", sale.buy(_PRICE))
    asking = to_contract("Sale", sale.address, "verifyOwnership", person("buyer").address)
    return figures | {"verifyOwnership": market.gas("buyer", asking)}


def measure_plain(w3: Web3, runs: int) -> dict[str, int]:
    """Gas of the plain design by figure; `runs` 0 is without the optimiser."""
    arguments = encode(["string", "string", "uint256", "uint256"], ["Nimbus", "alpha", 2019, _PRICE])
    seller, buyer = person("seller"), person("buyer")
    created = _send_raw(w3, seller, {"data": compile_plain(runs) + arguments})
    sale = created["contractAddress"]
    asking = _selector("verifyOwnership(address)") + encode(["address"], [buyer.address])
    return {
        "create": created["gasUsed"],
        "buy, instant": _send_raw(w3, buyer, {"to": sale, "value": _PRICE, "data": _selector("buy()")})["gasUsed"],
        "verifyOwnership": _send_raw(w3, buyer, {"to": sale, "data": asking})["gasUsed"],
    }


def compile_plain(runs: int) -> bytes:
    """The plain design's creation code."""
    source = (_HERE / "baseline" / "PlainSale.sol").read_text(encoding="utf-8")
    settings = {
        "evmVersion": EVM_VERSION,
        "optimizer": {"enabled": runs > 0, "runs": runs or 200},
        "outputSelection": {"*": {"*": ["evm.bytecode.object"]}},
    }
    output = run_compiler({"language": "Solidity", "sources": {"P": {"content": source}}, "settings": settings})
    return bytes.fromhex(output["contracts"]["P"]["PlainSale"]["evm"]["bytecode"]["object"])


@contextmanager
def anvil() -> Iterator[Web3]:
    """An empty chain on any free port."""
    command = [str(_HERE.parent / "node_modules/.bin/anvil"), "--port", "0", "--hardfork", "london", "--accounts", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 (it is a pipe)
            found = next(filter(None, (re.search(r"Listening on (\S+)", line) for line in process.stdout)))
            yield connect(f"http://{found[1]}")
        finally:
            process.terminate()


def person(name: str) -> LocalAccount:
    """The account of this name; the same in every run."""
    made: LocalAccount = Account.from_key(keccak(text=f"lading bench {name}"))
    return made


def _market(w3: Web3) -> Market:
    for name in ("admin", "seller", "buyer", "operator", "device"):
        w3.provider.make_request(RPCEndpoint("anvil_setBalance"), [person(name).address, hex(10**24)])
    with tempfile.TemporaryDirectory() as folder:
        deployed = deploy(w3, person("admin"), Path(folder) / "deployments.json")
    market = Market(w3, SaleFactory.at(w3, deployed.factory), 1)
    registry = DeviceRegistry.at(w3, deployed.registry)
    operator, device, certificate = person("operator"), person("device"), bytes(range(32))
    market.gas("admin", registry.list_operator(operator.address, "Harbour Ltd"))
    market.gas("operator", registry.open_site("Gate 1"))
    consent = sign_consent(
        device,
        chain_id=w3.eth.chain_id,
        registry=deployed.registry,
        device_id=0,
        site=1,
        until=_NEVER,
        certificate=certificate,
        operator=operator.address,
    )
    market.gas("operator", registry.provision(1, device.address, _NEVER, certificate, consent))
    # Everybody has sent something before: an account's first use costs more, and only once.
    for name in ("seller", "buyer", "device"):
        _send_raw(w3, person(name), {"to": person("admin").address, "value": 1})
    return market


def _life(market: Market, window_s: int) -> dict[str, int]:
    listing = market.listing(window_s)
    sale = Sale.at(market.w3, market.factory.address_of(person("seller").address, listing))
    gas = {"create": market.gas("seller", market.factory.create_sale(listing))}
    gas["buy"] = market.gas("buyer", sale.buy(_PRICE))
    expires_at = market.w3.eth.get_block("latest")["timestamp"] + 86_400
    buyer, chain_id = person("buyer"), market.w3.eth.chain_id
    voucher = sign_voucher(buyer, chain_id=chain_id, sale=sale.address, attempt=0, expires_at=expires_at)
    gas["release"] = market.gas("device", sale.release(voucher))
    gas["complete"] = market.gas("device", sale.complete())
    return gas


def _send_raw(w3: Web3, account: LocalAccount, fields: dict[str, Any]) -> Any:
    nonce, chain_id = w3.eth.get_transaction_count(account.address), w3.eth.chain_id
    transaction = {"nonce": nonce, "chainId": chain_id, "gas": 3_000_000, "gasPrice": 10**10, **fields}
    sent = w3.eth.send_raw_transaction(account.sign_transaction(transaction).raw_transaction)
    receipt = w3.eth.wait_for_transaction_receipt(sent)
    if receipt["status"] != 1:
        raise RuntimeError("the plain design's transaction failed")
    return receipt


def _selector(signature: str) -> bytes:
    return bytes(keccak(text=signature)[:4])


def _figure(name: str, value: int, plain: dict[str, int]) -> dict[str, Any]:
    line: dict[str, Any] = {"bench": "contracts", "figure": name, "value": value, "unit": "gas"}
    line["target"] = f"≤ {_TARGETS[name]:,}"
    baseline = plain.get(name)
    if baseline:
        line |= {"baseline": baseline, "baseline_is": "plain", "ratio": value / baseline}
    return line


if __name__ == "__main__":
    sys.exit(main())
