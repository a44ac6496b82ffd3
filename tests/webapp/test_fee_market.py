"""Our own signing of EIP-1559 transactions is the key library's, byte for byte."""

from eth_account import Account
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from contracts.calls import Call
from webapp.fee_market import Signer

AMOUNTS = st.integers(0, 2**96)
SMALL = st.integers(0, 2**63 - 1)


@given(
    key=st.integers(1, 2**255).map(lambda number: number.to_bytes(32, "big")),
    to=st.one_of(st.none(), st.binary(min_size=20, max_size=20).map(to_checksum_address)),
    data=st.binary(max_size=70),
    numbers=st.tuples(SMALL, SMALL, SMALL, AMOUNTS),
    fees=st.tuples(AMOUNTS, AMOUNTS).map(lambda two: (max(two), min(two))),
)
def test_bytes_and_hash_are_the_key_library_s(key, to, data, numbers, fees):
    """Any key, receiver, data, amounts, nonce and chain, creations and empty fields too."""
    chain_id, nonce, gas, value = numbers
    asked = {"type": 2, "chainId": chain_id, "nonce": nonce, "value": value, "gas": gas, "data": data}
    asked |= {"maxFeePerGas": fees[0], "maxPriorityFeePerGas": fees[1]}
    theirs = Account.sign_transaction({**asked, "to": to} if to else asked, key)
    ours = Signer(key, chain_id).sign(Call(to, data, value, gas), nonce, fees)
    assert ours.raw == bytes(theirs.raw_transaction)
    assert ours.hash == "0x" + bytes(theirs.hash).hex()
