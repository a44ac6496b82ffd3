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
    proven, block = _proven(shop, address)
    asked = [Node([url], PATIENCE_S) for url in shop.settings.rpc_urls]
    try:
        nodes = [_node(url, node, address, block) for url, node in zip(shop.settings.rpc_urls, asked, strict=True)]
    finally:
        for node in asked:
            node.close()
    tellers = [proven, *nodes]
    return Consistency(block, tellers, side_by_side(tellers))


def side_by_side(tellers: Sequence[Told]) -> list[Line]:
    """Return every fact as each tells it; right is what is proven, else what most say. Pure."""
    labels = dict.fromkeys(label for told in tellers for label in told.facts)
    return [_line(label, [told.facts.get(label) for told in tellers]) for label in labels]


def _line(label: str, values: list[str | None]) -> Line:
    said = [value for value in values if value is not None]
    right = values[0] if values[0] is not None else max(said, key=said.count)
    return Line(label, [(value or "", value is not None and value != right) for value in values])


def _proven(shop: Services, address: str) -> tuple[Told, int]:
    name = "As proven"
    try:
        text = proof_of(shop.chain, shop.settings.home, address)
        found = verify_portable(text, Anchor(sealers=sealers_of(_sealers(shop)), deployments=shop.chain.deployments))
    except (ProofError, LadingError, WebError) as error:
        return Told(name, {}, str(error)), shop.chain.head().number
    facts = _facts(found.state, found.terms) | {"Block's hash": "0x" + found.row.base.hash.hex()}
    return Told(name, facts), found.block


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
        "Goods": f"{terms.make} {terms.model}, {terms.year}, No. {terms.number}",
        "Site": str(terms.site),
        "Window": f"{terms.window_s} s",
        "Edition": str(terms.edition),
    }
