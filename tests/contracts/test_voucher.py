"""The voucher: one text for one voucher, and nothing else opens a door."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import base45
import pytest
import requests
from eth_account import Account
from eth_keys.constants import SECPK1_N
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from contracts import errors
from contracts.calls import Call, simulate
from contracts.sale import Sale
from contracts.voucher import (
    PREFIX,
    Voucher,
    decode_voucher,
    encode_voucher,
    pickup_data,
    pickup_digest,
    sign_voucher,
)
from tests.contracts.world import HOUR_S, NEVER, World

KEY = "0x" + "11" * 32
SALE = "0x2222222222222222222222222222222222222222"
VOUCHER = sign_voucher(KEY, chain_id=1337, sale=SALE, attempt=0, expires_at=1_800_000_000)
TEXT = encode_voucher(VOUCHER)
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

addresses = st.integers(1, (1 << 160) - 1).map(lambda number: to_checksum_address(f"0x{number:040x}"))
vouchers = st.builds(
    Voucher,
    chain_id=st.integers(1, (1 << 64) - 1),
    sale=addresses,
    buyer=addresses,
    expires_at=st.integers(1, (1 << 40) - 1),
    signature=st.binary(min_size=65, max_size=512),
)


@given(vouchers)
def test_a_voucher_survives_its_text(voucher: Voucher) -> None:
    """In QR's alphanumeric set, with the chain asked for or not."""
    text = encode_voucher(voucher)
    assert set(text) <= set(ALPHABET)
    assert decode_voucher(text) == decode_voucher(text, voucher.chain_id) == voucher


@given(
    st.one_of(
        st.text(),
        st.text(ALPHABET).map(PREFIX.__add__),
        st.binary(max_size=600).map(lambda raw: PREFIX + base45.b45encode(raw).decode()),
    )
)
def test_reading_is_total_and_strict(text: str) -> None:
    """Any text is refused, or is the one text of the voucher that is read from it."""
    try:
        voucher = decode_voucher(text)
    except errors.VoucherError:
        return
    assert encode_voucher(voucher) == text


def test_an_ordinary_voucher_has_186_characters() -> None:
    """So it is a 49 by 49 code at level M; the longest has 857."""
    assert len(TEXT) == 186
    assert len(encode_voucher(replace(VOUCHER, signature=bytes(512)))) == 857


def test_the_secret_is_in_no_picture_of_the_object() -> None:
    """A voucher in a log or a traceback opens nothing."""
    assert VOUCHER.signature.hex() not in repr(VOUCHER)
    assert repr(VOUCHER.signature) not in repr(VOUCHER)


RAW = base45.b45decode(TEXT[len(PREFIX) :].encode())


def _text(raw: bytes) -> str:
    return PREFIX + str(base45.b45encode(raw).decode())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", errors.NotAVoucher),
        ("https://example.org/", errors.NotAVoucher),
        ("ethereum:0x2222", errors.NotAVoucher),
        (" " + TEXT, errors.NotAVoucher),
        (TEXT.lower(), errors.NotAVoucher),
        (TEXT.replace("LADING:1:", "LADING:2:"), errors.UnknownVersion),
        ("LADING:", errors.UnknownVersion),
        (TEXT + "0" * 700, errors.VoucherTooLong),
        (PREFIX + "A" * 10**6, errors.VoucherTooLong),
        (TEXT + "\n", errors.VoucherDamaged),
        (TEXT[:-1], errors.VoucherDamaged),
        (TEXT[:20] + "é" + TEXT[21:], errors.VoucherDamaged),
        (TEXT[:20] + "a" + TEXT[21:], errors.VoucherDamaged),
        (PREFIX + ":::" + TEXT[12:], errors.VoucherDamaged),
        (PREFIX, errors.VoucherLength),
        (_text(RAW[:-1]), errors.VoucherLength),
        (_text(RAW[:53]), errors.VoucherLength),
        (_text(RAW + bytes(448)), errors.VoucherTooLong),
        (_text(bytes(8) + RAW[8:]), errors.VoucherField),
        (_text(RAW[:8] + bytes(20) + RAW[28:]), errors.VoucherField),
        (_text(RAW[:28] + bytes(20) + RAW[48:]), errors.VoucherField),
        (_text(RAW[:48] + bytes(5) + RAW[53:]), errors.VoucherField),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else value.__name__,
)
def test_every_failure_is_its_own(text: str, kind: type[errors.VoucherError]) -> None:
    """Prefix, version, length, alphabet, bytes, values."""
    with pytest.raises(errors.VoucherError) as refused:
        decode_voucher(text)
    assert type(refused.value) is kind


def test_a_voucher_of_another_chain_is_refused_by_number() -> None:
    """The error carries both."""
    with pytest.raises(errors.OtherChain) as refused:
        decode_voucher(TEXT, 1)
    assert (refused.value.found, refused.value.expected) == (1337, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"chain_id": 0},
        {"chain_id": 1 << 64},
        {"expires_at": 0},
        {"expires_at": 1 << 40},
        {"sale": "0x12"},
        {"buyer": "0x" + "0" * 40},
        {"signature": b""},
        {"signature": bytes(513)},
    ],
)
def test_what_no_voucher_can_hold_is_not_written(changes: dict[str, Any]) -> None:
    """Nothing is cut silently."""
    with pytest.raises(errors.VoucherError):
        encode_voucher(replace(VOUCHER, **changes))


def test_what_is_signed_is_what_the_contract_asks_for(world: World) -> None:
    """EIP-712, on every node, at the first attempt and later."""
    sale = world.sold()
    for attempt in (0, 1):
        digest = sale.voucher_digest(NEVER)
        assert digest == pickup_digest(
            chain_id=world.chain_id,
            sale=sale.address,
            buyer=world.buyer.address,
            attempt=attempt,
            expires_at=NEVER,
        )
        world.send(world.buyer, sale.revoke())


def test_a_browser_wallet_signs_the_same() -> None:
    """`pickup_data` is complete for `eth_signTypedData_v4`."""
    data = pickup_data(chain_id=1337, sale=SALE, buyer=VOUCHER.buyer, attempt=0, expires_at=VOUCHER.expires_at)
    assert bytes(Account.sign_typed_data(KEY, full_message=data).signature) == VOUCHER.signature


@dataclass(frozen=True)
class Door:
    """Codec and contract together: what a device asks before it sends anything."""

    world: World
    sale: Sale

    def accepted(self, texts: Iterable[str]) -> Iterator[str]:
        """Those texts that would release the goods."""
        read = [(text, voucher) for text in texts if (voucher := self._read(text)) is not None]
        for start in range(0, len(read), 500):
            part = read[start : start + 500]
            answers = self._ask([self.sale.release(voucher) for _, voucher in part])
            yield from (text for (text, _), answer in zip(part, answers, strict=True) if "error" not in answer)

    def _read(self, text: str) -> Voucher | None:
        try:
            voucher = decode_voucher(text, self.world.chain_id)
        except errors.VoucherError:
            return None
        # Of another contract no factory of ours says that it is a sale.
        return voucher if voucher.sale == self.sale.address else None

    def _ask(self, calls: Sequence[Call]) -> list[dict[str, Any]]:
        device = self.world.device.address
        body = [
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": "eth_call",
                "params": [{"from": device, "to": call.to, "data": call.data.to_0x_hex()}, "latest"],
            }
            for number, call in enumerate(calls)
        ]
        answers = requests.post(self.world.node.url, json=body, timeout=60).json()
        return sorted(answers, key=lambda answer: int(answer["id"]))


@pytest.fixture(scope="module")
def door(anvil_world: World) -> Door:
    """A door in front of goods that are paid for."""
    return Door(anvil_world, anvil_world.sold())


@pytest.fixture(scope="module")
def good(door: Door) -> str:
    """The one text that opens it."""
    return encode_voucher(door.world.voucher(door.sale))


def test_the_valid_voucher_is_accepted(door: Door, good: str) -> None:
    """Else the refusals below would prove nothing."""
    assert list(door.accepted([good])) == [good]


def test_no_flipped_bit_is_accepted(door: Door, good: str) -> None:
    """Every bit of the voucher's bytes, and every bit of its text."""
    raw = base45.b45decode(good[len(PREFIX) :].encode())
    bytes_flipped = (_text(bytes(part)) for part in _flipped(raw))
    text_flipped = (bytes(part).decode("latin-1") for part in _flipped(good.encode()))
    assert list(door.accepted(bytes_flipped)) == []
    assert list(door.accepted(text_flipped)) == []


def _flipped(data: bytes) -> Iterator[bytearray]:
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield changed


@pytest.mark.slow
def test_none_of_10000_mutated_vouchers_is_accepted(door: Door, good: str) -> None:
    """Characters and bytes replaced, inserted, removed, swapped, cut and repeated; a fixed seed."""
    mutations = set(_mutations(good, 10_000))
    assert len(mutations) == 10_000
    assert list(door.accepted(mutations)) == []


def _mutations(good: str, count: int) -> Iterator[str]:
    chance = random.Random(4)
    raw = bytes(base45.b45decode(good[len(PREFIX) :].encode()))
    made: set[str] = {good}
    while len(made) <= count:
        if chance.random() < 0.5:
            mutant = _text(bytes(_mutate(chance, list(raw), range(256))))
        else:
            mutant = "".join(_mutate(chance, list(good), ALPHABET))
        if mutant not in made:
            made.add(mutant)
            yield mutant


def _mutate(chance: random.Random, parts: list[Any], alphabet: Sequence[Any]) -> list[Any]:
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        place = chance.randrange(max(1, len(parts) - 1))
        match chance.randrange(6):
            case 0 | 1:
                parts[place : place + 1] = [chance.choice(alphabet)]
            case 2:
                parts.insert(place, chance.choice(alphabet))
            case 3:
                parts[place : place + 1] = []
            case 4:
                parts[place : place + 2] = reversed(parts[place : place + 2])
            case 5:
                parts = parts[: place + 1] if chance.random() < 0.2 else parts[:place] + parts[place - 1 :]
    return parts


def test_a_malleable_signature_is_refused(door: Door) -> None:
    """The twin of a signature, with the high s, would be a second voucher."""
    voucher = door.world.voucher(door.sale)
    s = int.from_bytes(voucher.signature[32:64], "big")
    twin = voucher.signature[:32] + (SECPK1_N - s).to_bytes(32, "big") + bytes([27 + 28 - voucher.signature[64]])
    _refused(door, replace(voucher, signature=twin), errors.InvalidVoucher)


@pytest.mark.parametrize("tail", [b"\x00", b"\x1b", bytes(447)])
def test_a_signature_with_a_tail_is_refused(door: Door, tail: bytes) -> None:
    """Only a contract wallet may have a longer one, and the buyer is none."""
    voucher = door.world.voucher(door.sale)
    _refused(door, replace(voucher, signature=voucher.signature + tail), errors.InvalidVoucher)


@pytest.mark.parametrize("attempt", [1, 2, (1 << 24) - 1])
def test_a_voucher_of_another_attempt_is_refused(door: Door, attempt: int) -> None:
    """Also one that will be the sale's some day."""
    _refused(door, door.world.voucher(door.sale, attempt=attempt), errors.InvalidVoucher)


def test_a_voucher_of_another_sale_buyer_or_chain_is_refused(door: Door) -> None:
    """The signature binds all three."""
    world, sale = door.world, door.sale
    other = world.sold()
    elsewhere = replace(world.voucher(other), sale=sale.address)
    _refused(door, elsewhere, errors.InvalidVoucher)
    _refused(door, world.voucher(sale, signer=world.rival), errors.WrongBuyer)
    stolen = replace(world.voucher(sale, signer=world.rival), buyer=world.buyer.address)
    _refused(door, stolen, errors.InvalidVoucher)
    foreign = sign_voucher(world.buyer, chain_id=1, sale=sale.address, attempt=0, expires_at=NEVER)
    _refused(door, foreign, errors.InvalidVoucher)
    longer = replace(world.voucher(sale, expires_at=world.node.time + HOUR_S), expires_at=NEVER)
    _refused(door, longer, errors.InvalidVoucher)


def _refused(door: Door, voucher: Voucher, kind: type[errors.ContractError]) -> None:
    with pytest.raises(kind):
        simulate(door.world.w3, door.world.device.address, door.sale.release(voucher))
