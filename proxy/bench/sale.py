"""A real node with a sold item on it: `geth --dev` and the project's artifacts, read as files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from web3 import HTTPProvider, Web3
from web3.types import Wei

from proxy.bench.rig import Rig, free_port, wait_until

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "contracts" / "artifacts"
GETH = ROOT / ".cache" / "bin" / "geth"
PRICE_WEI = 10**15
ITEM = ("Nimbus", "alpha", "4AA6", 2019, PRICE_WEI, 0, 1, 0)


def sold_item(it: Rig) -> tuple[str, bytes]:
    """The URL of a node, and the verifyOwnership of an item that was sold there, as web3.py asks it."""
    port = free_port()
    options = ["--dev", "--datadir", f"{it.home}/geth", "--http", "--http.port", str(port), "--http.api", "eth,web3"]
    options += ["--ipcdisable", "--nodiscover", "--port", "0", "--cache", "64", "--verbosity", "0"]
    it.start([str(GETH), *options])
    url = f"http://127.0.0.1:{port}"
    w3 = Web3(HTTPProvider(url))
    wait_until(w3.is_connected, "geth")
    return url, _ownership_call(w3)


def _ownership_call(w3: Web3) -> bytes:
    seller = w3.eth.accounts[0]

    def done(function: Any, value_wei: int = 0) -> Any:
        sent = function.transact({"from": seller, "value": Wei(value_wei), "gas": 6_000_000})
        return w3.eth.wait_for_transaction_receipt(sent)

    sale = _listed(w3, done, seller)
    done(sale.functions.buy(), PRICE_WEI)
    data = sale.encode_abi("verifyOwnership", [seller])
    if not sale.functions.verifyOwnership(seller).call():
        raise RuntimeError("the item was not sold")
    return call_of(sale.address, data)


def _listed(w3: Web3, done: Callable[..., Any], seller: str) -> Any:
    def deployed(name: str, *addresses: str) -> Any:
        artifact = json.loads((ARTIFACTS / f"{name}.json").read_text())
        contract = w3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
        return contract(done(contract.constructor(*addresses))["contractAddress"])

    registry = deployed("DeviceRegistry", seller)
    implementation = deployed("Sale", registry.address)
    factory = deployed("SaleFactory", implementation.address)
    done(registry.functions.listOperator(seller, "Bench"))
    done(registry.functions.openSite("Bench"))
    receipt = done(factory.functions.createSale(ITEM))
    listed = factory.events.Listed().process_receipt(receipt)[0]["args"]["sale"]
    return w3.eth.contract(address=listed, abi=implementation.abi)


def call_of(to: str, data: str) -> bytes:
    """An eth_call as web3.py writes it."""
    call = {"jsonrpc": "2.0", "method": "eth_call", "params": [{"to": to, "data": data}, "latest"], "id": 1}
    return json.dumps(call).encode()
