"""Verdicts: the reason for every answer at the door, and what a node that lies or fails can do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from eth_abi.abi import encode
from eth_keys.constants import SECPK1_N
from hypothesis import given
from hypothesis import strategies as st

from contracts.chain import connect
from contracts.deployment import Deployment
from contracts.interface import function
from contracts.judge import judge_owned, judge_releasing, judge_signature, signed_for
from contracts.node_verifier import NodeVerifier
from contracts.sale import SaleState, Status
from contracts.verdict import Reason, Verdict, Verifier
from contracts.voucher import sign_voucher
from tests.contracts.nodes import free_port
from tests.contracts.world import HOUR_S, NEVER, PRICE_WEI, World

BUYER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
OTHER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
KEY = "0x" + "11" * 32
VOUCHER = sign_voucher(KEY, chain_id=1, sale=OTHER, attempt=0, expires_at=1_000)
SOLD = SaleState(Status.SOLD, BUYER, 0, 0, 0)


@pytest.mark.parametrize(
    ("state", "time", "reason"),
    [
        (SOLD, 999, Reason.OWNED),
        (SOLD, 1_000, Reason.EXPIRED),
        (replace(SOLD, buyer=OTHER), 999, Reason.WRONG_BUYER),
        (replace(SOLD, refundable_at=500), 499, Reason.OWNED),
        (replace(SOLD, refundable_at=500), 500, Reason.REFUND_BEGUN),
        (replace(SOLD, status=Status.LISTED), 999, Reason.NOT_PAID),
        (replace(SOLD, status=Status.RELEASING), 999, Reason.BEING_RELEASED),
        (replace(SOLD, status=Status.RELEASED), 999, Reason.ALREADY_COLLECTED),
        (replace(SOLD, status=Status.CANCELLED), 999, Reason.CANCELLED),
        (replace(SOLD, status=Status.REFUNDED), 999, Reason.REFUNDED),
    ],
)
def test_a_state_gives_its_reason(state: SaleState, time: int, reason: Reason) -> None:
    """Exact to the second."""
    assert judge_owned(VOUCHER, state, time) is reason


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (SaleState(Status.RELEASING, BUYER, 3, 0, 7), Reason.RELEASING),
        (SaleState(Status.RELEASING, BUYER, 3, 0, 8), Reason.OTHER_DEVICE),
        (SaleState(Status.RELEASING, BUYER, 4, 0, 7), Reason.OTHER_ATTEMPT),
        (SaleState(Status.SOLD, BUYER, 3, 0, 0), Reason.NOT_RELEASED),
        (SaleState(Status.SOLD, BUYER, 4, 0, 0), Reason.OTHER_ATTEMPT),
        (SaleState(Status.LISTED, BUYER, 0, 0, 0), Reason.NOT_RELEASED),
        (SaleState(Status.RELEASED, BUYER, 3, 0, 7), Reason.ALREADY_COLLECTED),
        (SaleState(Status.REFUNDED, BUYER, 3, 0, 7), Reason.REFUNDED),
    ],
)
def test_only_this_device_and_attempt_are_releasing(state: SaleState, reason: Reason) -> None:
    """Attempt 3 by device 7."""
    assert judge_releasing(state, 3, 7) is reason


def test_a_replaced_receipt_is_told_from_a_forged_one() -> None:
    """The person is told to show the newest one."""
    assert judge_signature(VOUCHER, 0) is Reason.OWNED
    assert judge_signature(VOUCHER, 3) is Reason.VOUCHER_REPLACED
    assert judge_signature(replace(VOUCHER, buyer=OTHER), 0) is Reason.BAD_SIGNATURE


@given(st.binary(min_size=65, max_size=100))
def test_any_signature_is_judged(signature: bytes) -> None:
    """Garbage is no signature, and no error."""
    assert not signed_for(replace(VOUCHER, signature=signature), 0)


def test_the_malleable_twin_of_a_signature_is_refused_as_the_contract_does() -> None:
    """Else a device would send a release that reverts, and so publish the voucher."""
    raw = VOUCHER.signature
    twin = (SECPK1_N - int.from_bytes(raw[32:64], "big")).to_bytes(32, "big")
    assert signed_for(VOUCHER, 0)
    assert not signed_for(replace(VOUCHER, signature=raw[:32] + twin + bytes([55 - raw[64]])), 0)
    assert not signed_for(replace(VOUCHER, signature=raw[:64] + bytes([raw[64] - 27])), 0)


def test_every_reason_has_words() -> None:
    """For the person at the door."""
    assert all(reason.text for reason in Reason)
    assert len({reason.text for reason in Reason}) == len(Reason)


def test_a_life_seen_from_the_door(world: World) -> None:
    """Every reason that the chain itself gives, in one sale's life."""
    door: Verifier = NodeVerifier(world.w3, [world.deployment], world.site)
    sale = world.list()
    early = sign_voucher(world.buyer, chain_id=world.chain_id, sale=sale.address, attempt=0, expires_at=NEVER)
    assert door.verify_owned(early, 0).reason is Reason.NOT_PAID
    world.send(world.buyer, sale.buy(PRICE_WEI))
    verdict = door.verify_owned(early, 0)
    assert verdict == Verdict(
        True, Reason.OWNED, sale.address, sale.state(), sale.terms(), world.w3.eth.block_number, 0, "node"
    )
    assert door.verify_owned(early, 1).reason is Reason.NOT_PAID
    assert door.verify_owned(world.voucher(sale, signer=world.rival), 0).reason is Reason.WRONG_BUYER
    assert door.verify_owned(replace(early, expires_at=NEVER - 1), 0).reason is Reason.BAD_SIGNATURE
    assert door.verify_owned(world.voucher(sale, expires_at=world.node.time), 0).reason is Reason.EXPIRED
    assert door.verify_owned(replace(early, chain_id=1), 0).reason is Reason.OTHER_CHAIN
    assert door.verify_owned(replace(early, sale=world.deployment.factory), 0).reason is Reason.NOT_OUR_SALE
    assert door.verify_owned(replace(early, sale=world.buyer.address), 0).reason is Reason.NOT_OUR_SALE
    elsewhere = NodeVerifier(world.w3, [world.deployment], world.site + 1)
    assert elsewhere.verify_owned(early, 0).reason is Reason.OTHER_SITE
    world.send(world.buyer, sale.revoke())
    assert door.verify_owned(early, 0).reason is Reason.VOUCHER_REPLACED
    assert door.verify_releasing(sale.address, 1, world.device_id, 0).reason is Reason.NOT_RELEASED
    world.send(world.device, sale.release(world.voucher(sale)))
    assert door.verify_releasing(sale.address, 1, world.device_id, 0).accepted
    assert not door.verify_releasing(sale.address, 1, world.device_id, 1).accepted
    assert door.verify_releasing(sale.address, 1, world.device_id + 1, 0).reason is Reason.OTHER_DEVICE
    assert door.verify_owned(early, 0).reason is Reason.BEING_RELEASED
    world.send(world.device, sale.complete())
    assert door.verify_owned(early, 0).reason is Reason.ALREADY_COLLECTED


def test_the_ends_of_an_escrow_seen_from_the_door(world: World) -> None:
    """Cancelled and refunded."""
    door = NodeVerifier(world.w3, [world.deployment], world.site)
    sale = world.list()
    voucher = sign_voucher(world.buyer, chain_id=world.chain_id, sale=sale.address, attempt=0, expires_at=NEVER)
    world.send(world.seller, sale.cancel())
    assert door.verify_owned(voucher, 0).reason is Reason.CANCELLED
    escrow = world.sold(window_s=HOUR_S)
    voucher = world.voucher(escrow)
    assert door.verify_owned(voucher, 0).accepted
    world.send(world.seller, escrow.refund())
    assert door.verify_owned(voucher, 0).reason is Reason.REFUNDED


def test_a_sale_of_any_known_deployment_counts(world: World) -> None:
    """A corrected implementation strands no running sale."""
    newer = Deployment(world.chain_id, world.buyer.address, world.seller.address, world.deployment.registry)
    door = NodeVerifier(world.w3, [world.deployment, newer], world.site)
    sale = world.sold()
    # the newer factory does not exist here, and is asked last
    assert door.verify_owned(world.voucher(sale), 0).accepted


@contextmanager
def _between(world: World, lie: Any) -> Iterator[NodeVerifier]:
    """A verifier whose node is someone who passes requests on and answers as he likes."""

    class Liar(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = requests.post(world.node.url, json=asked, timeout=60).json()
            body = [*map(lie, asked, answer)] if isinstance(asked, list) else lie(asked, answer)
            if isinstance(body, list):
                body = next((part for part in body if isinstance(part, bytes)), body)
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        w3 = connect(f"http://127.0.0.1:{server.server_port}", timeout=60)
        yield NodeVerifier(w3, [world.deployment], world.site)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _is(asked: Any, contract: str, name: str) -> bool:
    selector = function(contract, name).hash[:4].hex()
    return bool(asked["method"] == "eth_call" and asked["params"][0].get("data", "").startswith("0x" + selector))


def test_a_node_that_contradicts_itself_is_caught(anvil_world: World) -> None:
    """`verifyOwnership` says yes where the state says otherwise, and the other way round."""
    sale = anvil_world.list()
    voucher = sign_voucher(
        anvil_world.buyer, chain_id=anvil_world.chain_id, sale=sale.address, attempt=0, expires_at=NEVER
    )

    def flipped(asked: Any, answer: Any) -> Any:
        if _is(asked, "Sale", "verifyOwnership"):
            return answer | {"result": "0x" + encode(["bool"], [int(answer["result"], 16) == 0]).hex()}
        return answer

    for _ in range(2):
        with _between(anvil_world, flipped) as door:
            assert door.verify_owned(voucher, 0).reason is Reason.NODE_LIED
        if not sale.is_sold():
            anvil_world.send(anvil_world.buyer, sale.buy(PRICE_WEI))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"jsonrpc":"2.0","id":1,"result":null}',
        b'{"jsonrpc":"2.0","id":1,"result":"0x"}',
        b'{"jsonrpc":"2.0","id":1,"result":{"number":"0x1"}}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no"}}',
        b'{"jsonrpc":"2.0","id":1,"error":"no"}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"execution reverted","data":"0x4e487b71ff"}}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"execution reverted","data":"0x556f1830ff"}}',
    ],
)
def test_a_node_that_answers_nonsense_opens_nothing_and_breaks_nothing(anvil_world: World, answer: bytes) -> None:
    """To all requests, or to those for the contract only."""
    sale = anvil_world.sold()
    voucher = anvil_world.voucher(sale)
    for method in ("eth_getBlockByNumber", "eth_call", "eth_getCode"):

        def nonsense(asked: Any, real: Any, method: str = method) -> Any:
            return answer if asked["method"] == method else real

        with _between(anvil_world, nonsense) as door:
            assert not door.verify_owned(voucher, 0).accepted
            assert not door.verify_releasing(sale.address, 0, 1, 0).accepted


def test_a_node_that_is_gone_is_a_reason_and_no_error(anvil_world: World) -> None:
    """The person may try again in a minute."""
    w3 = connect(f"http://127.0.0.1:{free_port()}")
    verdict = NodeVerifier(w3, [anvil_world.deployment]).verify_owned(
        replace(VOUCHER, chain_id=anvil_world.chain_id), 0
    )
    assert (verdict.accepted, verdict.reason) == (False, Reason.CHAIN_UNREACHABLE)
