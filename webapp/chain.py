"""What the application asks a node, apart from the index: nonces, fees, simulations, contracts by address."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from web3.exceptions import Web3RPCError

from contracts.calls import Call
from contracts.deployment import Deployment, load_deployments
from contracts.errors import decode_error
from contracts.factory import SaleFactory
from contracts.registry import DeviceRegistry
from contracts.sale import Sale
from webapp.errors import NodeUnreachable, Refused, SettingsError, WebError
from webapp.money import format_eth
from webapp.node import Node, RpcError, web3_over
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
        return _fees(*_all_of([self.node.call(*_NEWEST)]))

    def standing(self, sender: str) -> tuple[int, tuple[int, int]]:
        """Return how many transactions of this account are mined, and today's fees, asked at once.

        Raises:
            NodeUnreachable: no node answers both.
        """
        count, block = _all_of(self.node.batch([("eth_getTransactionCount", (sender, "latest")), _as_call(_NEWEST)]))
        return int(count, 16), _fees(block)

    def check(self, sender: str, *calls: Call) -> None:
        """Try calls without sending them: all are asked at once, each by itself.

        Raises:
            Refused: the contract would refuse one, with its own reason, or the account cannot pay for all.
            NodeUnreachable: no node answers.
        """
        asked = [("eth_call", (_tried(sender, call), "latest")) for call in calls]
        money = [_as_call(_NEWEST), ("eth_getBalance", (sender, "latest"))]
        block, balance, *answers = self.node.batch([*money, *asked])
        _all_of([block, balance])
        limit = _fees(block)[0]
        _check_funds(int(balance, 16), sum(call.value_wei + call.gas * limit for call in calls))
        for answer in answers:
            if isinstance(answer, RpcError):
                raise _refusal(answer) from answer


_NEWEST = ("eth_getBlockByNumber", "latest", False)


def _as_call(asked: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    return asked[0], asked[1:]


def _fees(block: Any) -> tuple[int, int]:
    base = int(block.get("baseFeePerGas") or "0x0", 16)
    return base * HEADROOM + 2 * TIP_WEI, TIP_WEI


def _all_of(answers: list[Any]) -> list[Any]:
    for answer in answers:
        if isinstance(answer, RpcError) or answer is None:
            raise NodeUnreachable from answer
    return answers


def _tried(sender: str, call: Call) -> dict[str, str]:
    asked = {"from": sender, "data": "0x" + bytes(call.data).hex(), "value": hex(call.value_wei)}
    return {**asked, "to": call.to} if call.to else asked


def _refusal(error: RpcError) -> WebError:
    why = decode_error(Web3RPCError(str(error), rpc_response=error.answer))
    return NodeUnreachable() if why is None else Refused(f"The contract refuses: {why}. Nothing was sent.")


def _check_funds(balance_wei: int, needed_wei: int) -> None:
    if balance_wei < needed_wei:
        raise Refused(
            f"This account holds {format_eth(balance_wei)} ETH; the price and the gas set aside for it"
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
