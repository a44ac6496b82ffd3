"""What the application asks a node, apart from the index: nonces, fees, simulations, contracts by address."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contracts.calls import Call, simulate
from contracts.deployment import Deployment, load_deployments
from contracts.errors import LadingError, NodeError
from contracts.factory import SaleFactory
from contracts.registry import DeviceRegistry
from contracts.sale import Sale
from webapp.errors import NodeUnreachable, Refused, SettingsError
from webapp.node import Node, web3_over
from webapp.settings import Settings

TIP_WEI = 1_000_000_000
HEADROOM = 8
"""The fee limit is this many times today's base fee, so that a signed transaction need not be replaced."""


@dataclass(frozen=True)
class Head:
    """A block's place in the chain."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int


class Chain:
    """One chain and the project's contracts on it."""

    def __init__(self, node: Node, deployments: tuple[Deployment, ...]) -> None:
        """Speak to this node about these deployments of one chain; the last one takes new listings."""
        self.node = node
        self.deployments = deployments
        self.chain_id = deployments[-1].chain_id
        self.w3 = web3_over(node)

    @classmethod
    def open(cls, settings: Settings) -> "Chain":
        """Return the chain that the settings name.

        Raises:
            SettingsError: no node or no deployment is known.
        """
        if not settings.rpc_urls:
            raise SettingsError("No chain node is known: start lading-chain, or set rpc in [web].")
        file = settings.deployments_file
        if not file.exists():
            raise SettingsError(f"There is no list of deployments at {file}: run `python -m contracts deploy`.")
        deployments = load_deployments(file)
        ours = tuple(one for one in deployments if one.chain_id == deployments[-1].chain_id)
        return cls(Node(settings.rpc_urls, settings.rpc_timeout_s), ours)

    @cached_property
    def factory(self) -> SaleFactory:
        """The factory that takes new listings."""
        return SaleFactory.at(self.w3, self.deployments[-1].factory)

    @cached_property
    def registry(self) -> DeviceRegistry:
        """The registry of sites and devices."""
        return DeviceRegistry.at(self.w3, self.deployments[-1].registry)

    def sale(self, address: str) -> Sale:
        """Return the bindings of one sale."""
        return Sale.at(self.w3, address)

    def head(self) -> Head:
        """Return the newest block."""
        return self.block("latest")

    def block(self, which: int | str) -> Head:
        """Return a block by number or tag.

        Raises:
            NodeUnreachable: no node answers, or this one does not have the block.
        """
        tag = hex(which) if isinstance(which, int) else which
        return as_head(self.node.call("eth_getBlockByNumber", tag, False))

    def nonce(self, sender: str, tag: str = "latest") -> int:
        """Return how many transactions of this account are mined."""
        return int(self.node.call("eth_getTransactionCount", sender, tag), 16)

    def balance(self, address: str) -> int:
        """Return an account's wei."""
        return int(self.node.call("eth_getBalance", address, "latest"), 16)

    def fees(self) -> tuple[int, int]:
        """Return the fee limit and the tip for a transaction signed now, in wei a gas."""
        block = self.node.call("eth_getBlockByNumber", "latest", False)
        base = int(block.get("baseFeePerGas") or "0x0", 16)
        return base * HEADROOM + 2 * TIP_WEI, TIP_WEI

    def check(self, sender: str, call: Call) -> None:
        """Try a call without sending it.

        Raises:
            Refused: the contract would refuse it, with its own reason, or the account cannot pay.
            NodeUnreachable: no node answers.
        """
        self.check_funds(sender, call.value_wei + call.gas * self.fees()[0])
        try:
            simulate(self.w3, sender, call)
        except NodeError as error:
            raise NodeUnreachable from error
        except LadingError as error:
            raise Refused(f"The contract refuses: {error}. Nothing was sent.") from error

    def check_funds(self, sender: str, needed_wei: int) -> None:
        """Refuse what the account cannot pay for.

        Raises:
            Refused: its balance is lower.
        """
        from webapp.money import format_eth

        balance = self.balance(sender)
        if balance < needed_wei:
            raise Refused(
                f"This account holds {format_eth(balance)} ETH; the price and the gas set aside for it"
                f" come to {format_eth(needed_wei)} ETH. Nothing was sent."
            )


def as_head(block: Any) -> Head:
    """Read the answer of `eth_getBlockBy…`.

    Raises:
        NodeUnreachable: the node does not have that block.
    """
    if not isinstance(block, dict):
        raise NodeUnreachable("the node does not have that block yet")
    return Head(int(block["number"], 16), block["hash"], block["parentHash"], int(block["timestamp"], 16))
