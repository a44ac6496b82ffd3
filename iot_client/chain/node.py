"""What the Pi asks of a node and sends to it, through the gateway or over IPC."""

from dataclasses import dataclass
from typing import Any

from hexbytes import HexBytes
from requests.exceptions import ConnectionError, HTTPError, Timeout  # noqa: A004
from web3 import HTTPProvider, IPCProvider, Web3
from web3.exceptions import TransactionNotFound
from web3.middleware import ExtraDataToPOAMiddleware
from web3.providers.rpc.utils import ExceptionRetryConfiguration

from contracts.batch import BODY_MAX
from contracts.calls import Call, simulate
from contracts.chain import asking, connect
from contracts.errors import NodeError
from iot_client.settings import PiSettings


@dataclass(frozen=True)
class Head:
    """The newest block that the node knows."""

    number: int
    timestamp: int
    base_fee: int


@dataclass(frozen=True)
class Mined:
    """Where a transaction was mined, and whether it did what it should."""

    block: int
    succeeded: bool


def reach(settings: PiSettings) -> Web3:
    """A `Web3` on the configured endpoint; connects when first asked."""
    if settings.chain_url.startswith("ipc:"):
        w3 = Web3(IPCProvider(settings.chain_url.removeprefix("ipc:"), timeout=int(settings.timeout_s)))
        w3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
        return w3
    extra: dict[str, Any] = {}
    if settings.chain_url.startswith("https:"):
        certificate = (str(settings.path("certificate")), str(settings.path("private_key")))
        extra = {"cert": certificate, "verify": str(settings.path("gateway_ca"))}
    w3 = connect(settings.chain_url, body_max=BODY_MAX, timeout=settings.timeout_s, **extra)
    if isinstance(w3.provider, HTTPProvider):
        # A gateway that reloads breaks kept-alive connections once: reads are asked again, soon and not often.
        w3.provider.exception_retry_configuration = ExceptionRetryConfiguration(
            errors=(ConnectionError, HTTPError, Timeout), retries=2, backoff_factor=0.05
        )
    return w3


class Node:
    """Few questions, each raising `contracts.errors` only."""

    def __init__(self, w3: Web3, address: str) -> None:
        self.w3 = w3
        self.address = Web3.to_checksum_address(address)

    def head(self) -> Head:
        """The newest block."""
        with asking():
            block = self.w3.eth.get_block("latest")
            return Head(int(block["number"]), int(block["timestamp"]), int(block.get("baseFeePerGas", 0)))

    def chain_id(self) -> int:
        """The chain's id."""
        with asking():
            return int(self.w3.eth.chain_id)

    def balance(self) -> int:
        """What this device has for gas, in wei."""
        with asking():
            return int(self.w3.eth.get_balance(self.address))

    def nonce(self) -> int:
        """How many of this device's transactions are mined."""
        with asking():
            return int(self.w3.eth.get_transaction_count(self.address))

    def simulate(self, call: Call) -> None:
        """Ask what the call would do now; raises the contract's refusal."""
        simulate(self.w3, self.address, call)

    def send(self, raw: bytes) -> None:
        """Hand a signed transaction to the node; one that it knows already is as good."""
        try:
            with asking():
                self.w3.eth.send_raw_transaction(HexBytes(raw))
        except NodeError as error:
            if not _is_known(str(error)):
                raise

    def mined(self, hash_: str) -> Mined | None:
        """How a transaction was mined; `None` while it is not."""
        try:
            with asking():
                receipt = self.w3.eth.get_transaction_receipt(HexBytes(hash_))
                return Mined(int(receipt["blockNumber"]), int(receipt["status"]) == 1)
        except NodeError as error:
            if isinstance(error.__cause__, TransactionNotFound):
                return None
            raise


def _is_known(message: str) -> bool:
    lowered = message.lower()
    return "already known" in lowered or "already imported" in lowered or "nonce too low" in lowered
