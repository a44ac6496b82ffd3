"""Sealers of real geth that are really cut off, and one who really seals on both sides; the gate is counted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from contracts.batch import Request
from contracts.calls import sign
from contracts.headers import Header
from contracts.hexadecimal import minimal
from contracts.proof import collect_headers
from contracts.proof_verifier import ProofVerifier
from contracts.prover import configured
from contracts.rpc import rpc_of
from contracts.sale import Sale
from contracts.seals import SealRules
from contracts.verdict import Reason
from tests.contracts.proof.lying import Gate, Liar
from tests.contracts.proof.partition import Partition, Sealer, partition
from tests.contracts.proof.sealing import ITEM, as_json
from tests.contracts.proof.sealing import sign as seal
from tests.contracts.proof.story import Story, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def network() -> Iterator[Partition]:
    """Three sealers."""
    with partition(3) as made:
        yield made


@pytest.fixture(scope="module")
def story(network: Partition) -> Story:
    """Contracts, site and device on it."""
    return Story(network, network.folder / "deployments.json")


def gate_at(network: Partition, story: Story, node: Sealer, distinct: int | None = None) -> Gate:
    """A door that asks this node and knows the sealers."""
    sealers: list[str] = network.ready["sealers"]  # type: ignore[assignment]
    rules = SealRules(1, 1_000, distinct)
    prover = configured(
        rpc_of(node.w3), [story.deployment], sealers, since=int(time.time()), rules=rules, pause=lambda _: None
    )
    return Gate(ProofVerifier(prover, story.site), device=story.device)


def paid(story: Story, number: str) -> Sale:
    """An order, paid for, deep."""
    sale = story.list(number)
    story.wait_for(story.buy(sale) + 3)
    return sale


def seal_alone(network: Partition, story: Story, group: Sequence[Sealer], sale: Sale) -> int:
    """Let the others seal for a while, so that the group may, cut it off, and let it take a release up; the block."""
    for one in group:
        one.ask("miner_stop")
    story.wait_for(network.sealers[0].head + 3)
    wait_until(lambda: group[0].head >= network.sealers[0].head - 1, "the group keeping up")
    network.cut(group)
    signed = sign(story.w3, story.key, sale.release(story.voucher(sale)))
    group[0].w3.eth.send_raw_transaction(signed.raw_transaction)  # who is with it hears of it
    network.seal(group)
    return int(group[0].w3.eth.wait_for_transaction_receipt(signed.hash)["blockNumber"])


def test_one_of_three_cut_off_seals_a_release_and_opens_nothing(network: Partition, story: Story) -> None:
    """Really sealed, really in its state; it cannot go on alone. With a node that lets it, its own seals betray it."""
    sale, group = paid(story, "cut off"), network.sealers[-1:]
    block = seal_alone(network, story, group, sale)
    refused(network, story, group, sale, block)
    both_sides(network, story, group[0], sale)


@pytest.mark.long
def test_two_of_five_cut_off_seal_a_release_and_open_nothing() -> None:
    """They get two blocks further, where three sealers are needed."""
    with partition(5) as network:
        story = Story(network, network.folder / "deployments.json")
        sale, group = paid(story, "two of five"), network.sealers[-2:]
        block = seal_alone(network, story, group, sale)
        refused(network, story, group, sale, block)


def refused(network: Partition, story: Story, group: Sequence[Sealer], sale: Sale, block: int) -> None:
    """By the cut-off node as it is, and by one that seals on top without rest, with the very keys."""
    gate = gate_at(network, story, group[0])
    assert not gate.try_to_open(sale=sale.address)
    assert Sale.at(group[0].w3, sale.address).status().name == "RELEASING"
    gate = gate_at(network, story, group[0])
    gate.verifier.prover.call = restless(group, block)
    assert not gate.try_to_open(sale=sale.address)
    assert (str(gate.flaw), gate.opened) == ("repeated-sealer", 0)


def restless(group: Sequence[Sealer], block: int) -> Liar:
    """The cut-off node, changed so that its keys go on sealing on top of the block that they really sealed."""
    call = rpc_of(group[0].w3)
    chain = list(collect_headers(call, block, block))
    for number in range(1, 21):
        chain.append(next_header(chain[-1], group[number % len(group)]))
    headers = {header.number: as_json(header) for header in chain}

    def rewrite(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_blockNumber":
            return hex(max(headers) - 8)
        if method == "eth_getBlockByNumber":
            return headers.get(int(params[0], 16), result)
        return result

    def at_block(batch: Sequence[Request]) -> list[object]:
        """The state is that of the block which it really sealed, whichever is asked for."""
        of_state = ("eth_getProof", "eth_getCode", "eth_call")
        return list(
            call([(name, [*params[:-1], hex(block)] if name in of_state else params) for name, params in batch])
        )

    return Liar(at_block, rewrite)


def next_header(parent: Header, by: Sealer) -> Header:
    """An empty block on top, off turn, sealed with a real sealer's key."""
    items = list(parent.items)
    changes = {
        "parentHash": parent.hash,
        "number": minimal(parent.number + 1),
        "timestamp": minimal(parent.timestamp + 1),
        "difficulty": b"\x01",
        "extraData": bytes(97),
    }
    for name, value in changes.items():
        items[ITEM[name]] = value
    return seal(Header(tuple(items)), by.key)


def both_sides(network: Partition, story: Story, alone: Sealer, sale: Sale) -> None:
    """Now a sealer of the other side joins the cut-off one with the same key: both sides have a majority and grow."""
    liar = network.sealers[0]
    twin = network.start("twin", liar.keystore)
    network.join([alone, twin])
    network.seal([twin])
    grown = alone.head + 8
    wait_until(lambda: alone.head >= grown, "the cut-off side growing", 60)
    assert gate_at(network, story, alone).try_to_open(sale=sale.address)
    careful = gate_at(network, story, alone, distinct=3)
    assert not careful.try_to_open(sale=sale.address)
    assert str(careful.flaw) == "too-few-sealers" or careful.reason is Reason.NOT_RELEASED  # before the fork
    honest = gate_at(network, story, network.sealers[1])
    assert not honest.try_to_open(sale=sale.address)
    assert honest.reason is Reason.NOT_RELEASED
