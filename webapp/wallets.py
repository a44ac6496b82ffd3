"""Browser wallets: sign in with Ethereum (EIP-4361), and what a wallet is asked to sign. The server sees no key."""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.address import is_checksum_address

from contracts.calls import Call
from webapp.errors import Refused

VALID = timedelta(minutes=10)
STATEMENT = "Sign in to Lading. This costs nothing and sends nothing."
_SIGNATURE = re.compile(r"0x[0-9a-fA-F]{130}")


@dataclass(frozen=True)
class Challenge:
    """What a wallet signs to sign in; the nonce is kept in the session and used once."""

    host: str
    origin: str
    chain_id: int
    nonce: str
    issued: datetime

    @classmethod
    def make(cls, host: str, origin: str, chain_id: int) -> "Challenge":
        """Return a fresh one."""
        return cls(host, origin, chain_id, secrets.token_hex(12), datetime.now(UTC).replace(microsecond=0))

    def text(self, address: str) -> str:
        """Return the EIP-4361 message for this address."""
        issued, ends = self.issued, self.issued + VALID
        return (
            f"{self.host} wants you to sign in with your Ethereum account:\n{address}\n\n{STATEMENT}\n\n"
            f"URI: {self.origin}\nVersion: 1\nChain ID: {self.chain_id}\nNonce: {self.nonce}\n"
            f"Issued At: {_z(issued)}\nExpiration Time: {_z(ends)}"
        )

    def verify(self, address: str, signature: str) -> str:
        """Return the address that signed.

        Raises:
            Refused: expired, malformed, or signed by another key.
        """
        if datetime.now(UTC) > self.issued + VALID:
            raise Refused("The sign-in message has expired. Try again.")
        if not is_checksum_address(address) or not _SIGNATURE.fullmatch(signature):
            raise Refused("The wallet's answer cannot be read. Try again.")
        try:
            signer = Account.recover_message(encode_defunct(text=self.text(address)), signature=signature)
        except Exception as error:  # the key library's own errors share no base
            raise Refused("The signature cannot be read. Try again.") from error
        if signer != address:
            raise Refused("The signature is another account's. Choose the same account in the wallet.")
        return address


def _z(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def for_wallet(call: Call, sender: str, fees: tuple[int, int]) -> dict[str, str]:
    """Return a call as `eth_sendTransaction` takes it."""
    return {
        "from": sender,
        "to": call.to or "0x",
        "data": "0x" + bytes(call.data).hex(),
        "value": hex(call.value_wei),
        "gas": hex(call.gas),
        "maxFeePerGas": hex(fees[0]),
        "maxPriorityFeePerGas": hex(fees[1]),
    }
