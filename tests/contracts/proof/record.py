"""Records the vectors beside this file from a real run: `python -m tests.contracts.proof.record RUN_FOLDER`.

The folder is that of a fresh network of three sealers with a short epoch:
`LADING_HOME=… lading-chain new --rpc-nodes 1 --rpc-port 0 --peer-port 0 --epoch 30`, then `lading-chain up`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from web3 import IPCProvider, Web3

from contracts.answer import requests
from contracts.batch import ask
from contracts.epochs import Checkpoint
from contracts.hexadecimal import to_hex
from contracts.portable import Anchor, read_portable, says, verify_portable
from contracts.proof import collect_headers
from contracts.proof_export import export_proof
from contracts.rpc import rpc_of
from contracts.sale import Sale
from contracts.seals import SealRules
from tests.contracts.proof.story import Network, Story, wait_until

VECTORS = Path(__file__).parent / "vectors"
DEPTH = 3


class Recorder:
    """Writes what a network shows."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.rules = SealRules(int(network.ready["period_s"]), int(network.ready["epoch"]))  # type: ignore[call-overload]
        self.story = Story(network, network.folder / "recorded-deployments.json")
        self.call = rpc_of(self.story.w3)

    def proof(self, name: str, sale: Sale, block: int, start: int | None = None) -> None:
        """A portable proof of the sale at this block."""
        self.story.wait_for(block + 8)
        text = export_proof(self.call, sale.address, [self.story.deployment], self.rules, block=block, start=start)
        (VECTORS / f"{name}.json").write_text(text)

    def wire(self, sale: Sale, base: int) -> None:
        """A node's own answers, as they came, and what the device knew."""
        self.story.wait_for(base + DEPTH)
        first = base // self.rules.epoch * self.rules.epoch
        known = collect_headers(self.call, first, first)[0]
        wanted = requests(sale.address, base, base + DEPTH)
        record = {
            "sale": sale.address,
            "base": base,
            "head": base + DEPTH,
            "period_s": self.rules.period_s,
            "epoch": self.rules.epoch,
            "checkpoint": to_hex(known.rlp),
            "deployment": asdict(self.story.deployment),
            "requests": [list(one) for one in wanted],
            "results": ask(self.call, wanted),
        }
        (VECTORS / "wire.json").write_text(json.dumps(record, indent=1) + "\n")


def sealers(network: Network) -> dict[str, Web3]:
    """The sealing nodes over IPC, by address."""
    paths = sorted((network.folder / "chain").rglob("*.ipc"))
    nodes = [Web3(IPCProvider(path)) for path in paths]
    sealing = {address.lower() for address in network.ready["sealers"]}  # type: ignore[attr-defined]
    found = {_coinbase(node): node for node in nodes}
    return {address: node for address, node in found.items() if address in sealing}


def vote(voters: list[Web3], address: str, *, into: bool) -> None:
    """Let these sealers vote another one in or out, and wait until the vote has passed."""
    for voter in voters:
        rpc(voter, "clique_propose", [address, into])
    wait_until(
        lambda: (address in [one.lower() for one in rpc(voters[0], "clique_getSigners", [])]) is into, "vote's end"
    )
    for voter in voters:
        rpc(voter, "clique_discard", [address])


def rpc(node: Web3, method: str, params: list[Any]) -> Any:
    """The result of a request to one node."""
    answer = node.provider.make_request(method, params)  # type: ignore[arg-type]
    assert "error" not in answer, answer
    return answer["result"]


def _coinbase(node: Web3) -> str:
    answer = node.provider.make_request("eth_coinbase", [])  # type: ignore[arg-type]
    return str(answer.get("result", "")).lower()


def write_expected() -> None:
    """What a second implementation must find in the vectors, and the anchors by which it finds it."""
    expected = {}
    for path in sorted(VECTORS.glob("*.json")):
        if path.stem in ("wire", "expected"):
            continue
        text = path.read_text()
        known = Checkpoint.of(read_portable(text).checkpoint)
        found = verify_portable(text, Anchor(known.hash))
        expected[path.stem] = {
            "checkpoint": to_hex(known.hash or b""),
            "sealers": [to_hex(sealer) for sealer in known.sealers],
            "sale": found.sale,
            "says": says(found),
            "base_hash": to_hex(found.row.base.hash),
            "sealed_by": [to_hex(header.sealer) for header in found.row.headers],
            "terms": asdict(found.terms),
        }
    (VECTORS / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def main() -> None:
    """Record everything."""
    recorder = Recorder(Network(Path(sys.argv[1])))
    story, epoch = recorder.story, recorder.rules.epoch
    sale = story.list()
    recorder.proof("listed", sale, story.w3.eth.block_number)
    recorder.proof("sold", sale, story.buy(sale))
    releasing = story.release(sale)
    recorder.proof("releasing", sale, releasing)
    recorder.wire(sale, releasing)
    released = story.complete(sale)
    recorder.proof("released", sale, released)
    nodes = sealers(recorder.network)
    *staying, leaving = sorted(nodes)
    vote([nodes[one] for one in staying], leaving, into=False)
    story.wait_for((story.w3.eth.block_number // epoch + 1) * epoch + 2)
    vote([nodes[one] for one in staying], leaving, into=True)
    story.wait_for((story.w3.eth.block_number // epoch + 1) * epoch + 2)
    recorder.proof("walked", sale, story.w3.eth.block_number, start=0)
    write_expected()


if __name__ == "__main__":
    main()
