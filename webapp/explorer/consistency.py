"""One sale as the sealers signed it and as each node tells it, at the same block: who differs shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from contracts.errors import LadingError
from contracts.portable import Anchor, sealers_of, verify_portable
from contracts.proof_errors import ProofError
from contracts.sale import Sale
from contracts.sale_state import SaleState
from contracts.terms import Terms
from webapp.chain import Chain
from webapp.errors import WebError
from webapp.money import format_eth
from webapp.node import Node, web3_over
from webapp.proofs import proof_of
from webapp.services import Services
from webapp.settings import read_json

PATIENCE_S = 2.0
Facts = dict[str, str]
BUYER = "Buyer"


@dataclass(frozen=True)
class Told:
    """What one of them says; `trouble` where it says nothing."""

    name: str
    facts: Facts
    trouble: str = ""


@dataclass(frozen=True)
class Line:
    """One fact, as each tells it; true marks who differs."""

    label: str
    cells: list[tuple[str, bool]]


@dataclass(frozen=True)
class Consistency:
    """All of it side by side."""

    block: int
    tellers: list[Told]
    lines: list[Line]

    @property
    def agree(self) -> bool:
        """Whether all who say something say the same."""
        return not any(differs for line in self.lines for _value, differs in line.cells)


def compare(shop: Services, address: str) -> Consistency:
    """Ask the sealers' proof and every node.

    Raises:
        NodeUnreachable: no node answers.
    """
    asked = [Node([url], PATIENCE_S) for url in shop.settings.rpc_urls]
    try:
        proven, block = _proven(shop, asked, address)
        nodes = [_node(url, node, address, block) for url, node in zip(shop.settings.rpc_urls, asked, strict=True)]
    finally:
        for node in asked:
            node.close()
    tellers = [proven, *nodes]
    return Consistency(block, tellers, side_by_side(tellers))


def side_by_side(tellers: Sequence[Told]) -> list[Line]:
    """Return every fact as each tells it; right is what is proven, else what more than half say. Pure."""
    labels = dict.fromkeys(label for told in tellers for label in told.facts)
    return [_line(label, [told.facts.get(label) for told in tellers]) for label in labels]


def _line(label: str, values: list[str | None]) -> Line:
    said = [value for value in values if value is not None]
    # Where half say this and half that, and nothing is proven, both differ.
    right = values[0] or next((value for value in said if 2 * said.count(value) > len(said)), None)
    return Line(label, [(value or "", value is not None and value != right) for value in values])


def _proven(shop: Services, nodes: Iterable[Node], address: str) -> tuple[Told, int]:
    """Take the proof from the first node that can give one: who lies or is silent keeps nobody from the truth."""
    name, trouble = "As proven", ""
    anchor = Anchor(sealers=sealers_of(_sealers(shop)), deployments=shop.chain.deployments)
    for node in nodes:
        try:
            text = proof_of(Chain(node, shop.chain.deployments), shop.settings.home, address)
            found = verify_portable(text, anchor)
        except (ProofError, LadingError, WebError) as error:
            trouble = trouble or str(error)
            continue
        facts = _facts(found.state, found.terms) | {"Block's hash": "0x" + found.row.base.hash.hex()}
        return Told(name, facts), found.block
    return Told(name, {}, trouble), shop.chain.head().number


def _sealers(shop: Services) -> Iterable[str]:
    home = shop.settings.home
    known = shop.settings.ready("chain") or read_json(home / "chain" / "network.json")
    return [str(one) for one in known.get("sealers", ())]


def _node(url: str, node: Node, address: str, block: int) -> Told:
    parts = urlsplit(url)
    name = f"Node {parts.hostname}:{parts.port}"
    try:
        head: Any = node.call("eth_getBlockByNumber", hex(block), False)
        sale = Sale.at(web3_over(node), address)
        facts = _facts(sale.state(block), sale.terms(block))
    except (LadingError, WebError) as error:
        return Told(name, {}, str(error))
    return Told(name, facts | {"Block's hash": head["hash"] if head else "it does not have this block"})


def _facts(state: SaleState, terms: Terms) -> Facts:
    until = datetime.fromtimestamp(state.refundable_at, UTC) if state.refundable_at else None
    return {
        "Status": state.status.name.capitalize(),
        BUYER: state.buyer if int(state.buyer, 16) else "nobody",
        "Attempt": str(state.attempt),
        "Refundable": until.strftime("%-d %b %Y, %H:%M:%S UTC") if until else "not",
        "Device": str(state.device or "none"),
        "Seller": terms.seller,
        "Price": f"{format_eth(terms.price_wei)} ETH",
        "Goods": terms.goods,
        "Site": str(terms.site),
        "Window": f"{terms.window_s:,} s",
        "Edition": str(terms.edition),
    }
