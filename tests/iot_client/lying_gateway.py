"""A whole Pi whose gateway lies: scanner, journal, worker and gate are the real ones, its chain answers over HTTP.

The chain is sealed in memory, so that the gateway can forge whatever sealers, strangers and nodes could. The cloud is
away and the door may open without it; what counts is how often the lock was pulsed.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_utils.crypto import keccak

from contracts.batch import RpcError
from contracts.hexadecimal import to_hex
from contracts.proof_verifier import ProofVerifier, ProvenVerdict
from contracts.sale_state import SaleState, Status
from contracts.voucher import encode_voucher, sign_voucher
from iot_client import pi as pi_module
from iot_client.gate.simulated import read_door
from iot_client.identity.keys import make_chain_key
from iot_client.journal import Journal
from iot_client.pi import Pi, make_parts
from iot_client.settings import PiSettings, load_settings
from tests.contracts.proof import sealing
from tests.contracts.proof.sealing import Chain, World, as_json
from tests.iot_client.pictures import save_code
from tests.iot_client.test_settings import GOOD, write
from tests.iot_client.warehouse import wait_until

DEVICE, SITE, DEPTH = 7, 1, 3
BEHIND_S = 8
OWNER = Account.from_key(bytes(31) + b"\x07")
SOLD = SaleState(Status.SOLD, OWNER.address, 0, 0, 0)
RELEASING = SaleState(Status.RELEASING, OWNER.address, 0, 0, DEVICE)

Result = Callable[[str, list[Any], Any, "Gateway"], Any]


@dataclass(frozen=True)
class Attack:
    """What a gateway does to the truth: the chain it shows, results, batches, bytes."""

    name: str
    shows: Callable[[Gateway], Chain] = lambda gateway: gateway.chain
    result: Result = lambda _method, _params, result, _gateway: result
    batch: Callable[[list[Any]], list[Any]] = lambda results: results
    body: Callable[[bytes], bytes] = lambda body: body


HONEST = Attack("nothing")


class Gateway:
    """Answers a Pi's JSON-RPC about the chain in memory, as the present attack will have it."""

    def __init__(self, chain: Chain, ahead_s: int = 0) -> None:
        self.chain = chain
        self._ahead_s = ahead_s
        self.shown = chain
        self.attack = HONEST
        self.number = 0
        self.mined: dict[str, int] = {}
        self._mutex = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def begin(self, attack: Attack) -> int:
        """From now on this one; its number."""
        with self._mutex:
            self.attack, self.shown, self.number = attack, self.chain, self.number + 1
            return self.number

    def keep_up(self) -> None:
        """Seal what time asks for."""
        while self.chain.head.timestamp < time.time() + self._ahead_s - BEHIND_S:
            self.chain.seal()

    def post(self, body: bytes) -> bytes:
        """The answer to one HTTP request."""
        asked = json.loads(body)
        with self._mutex:
            calls = asked if isinstance(asked, list) else [asked]
            answers = [self._answer(call) for call in calls]
            if not isinstance(asked, list):
                return json.dumps(answers[0]).encode()
            if len(calls) > 1:
                answers = self._shuffled(answers)
            return self.attack.body(json.dumps(answers).encode()) if len(calls) > 1 else json.dumps(answers).encode()

    def _shuffled(self, answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        ids = [answer["id"] for answer in answers]
        results = self.attack.batch([answer.get("result") for answer in answers])
        return [{"jsonrpc": "2.0", "id": id_, "result": one} for id_, one in zip(ids, results, strict=False)]

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        method, params = call["method"], call.get("params", [])
        result = self.attack.result(method, params, self._truth(method, params), self)
        said: dict[str, Any] = {"result": result}
        if isinstance(result, RpcError):
            said = {"error": {"code": result.code, "message": result.message}}
        return {"jsonrpc": "2.0", "id": call["id"], **said}

    def _truth(self, method: str, params: list[Any]) -> Any:
        if method == "eth_blockNumber":
            self.keep_up()
            self.shown = self.attack.shows(self)
        own: dict[str, Callable[[], Any]] = {
            "eth_chainId": lambda: hex(sealing.CHAIN_ID),
            "eth_getBalance": lambda: hex(10**18),
            "eth_getTransactionCount": lambda: "0x0",
            "eth_sendRawTransaction": lambda: self._send(params[0]),
            "eth_getTransactionReceipt": lambda: self._receipt(params[0]),
        }
        if method in own:
            return own[method]()
        if "latest" in params:
            return "0x" if method == "eth_call" else as_json(self.chain.head)
        return sealing.Node(self.shown).answer(method, params)

    def _send(self, raw: str) -> str:
        """Swallowed; the liar says that it was mined long ago."""
        hash_ = to_hex(keccak(hexstr=raw))
        self.mined[hash_] = self.chain.head.number - 10
        return hash_

    def _receipt(self, hash_: str) -> dict[str, Any] | None:
        block = self.mined.get(hash_)
        plain = {"transactionIndex": "0x0", "logs": [], "cumulativeGasUsed": "0x1", "gasUsed": "0x1", "status": "0x1"}
        return None if block is None else plain | {"transactionHash": hash_, "blockNumber": hex(block)}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                answer = gateway.post(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class Offline:
    """A cloud that is away."""

    connected = False

    def __init__(self, *_: object) -> None:
        self.start = self.stop = lambda: None

    def update(self, *_: object) -> None:
        """Nobody hears."""
        from iot_client.errors import CloudUnreachable

        raise CloudUnreachable("away")

    get = publish = update


@dataclass
class LyingDoor:
    """The Pi behind the gateway, and what its verifier said under which attack."""

    gateway: Gateway
    pi: Pi
    folder: Path
    verdicts: list[tuple[int, ProvenVerdict]] = field(default_factory=list)

    @property
    def pulses(self) -> int:
        """How often the lock was energised, by the door's own file."""
        return read_door(self.folder / "gate.json").pulses

    @property
    def settings(self) -> PiSettings:
        """Its configuration."""
        return load_settings(self.folder / "config.toml")

    def show(self, name: str = "receipt.png") -> str:
        """Hold the buyer's receipt up; the scan's outcome."""
        voucher = sign_voucher(
            OWNER, chain_id=sealing.CHAIN_ID, sale=sealing.SALE, attempt=0, expires_at=int(time.time()) + 3_600
        )
        save_code(encode_voucher(voucher), self.folder / "inbox" / name)
        return str(wait_until(lambda: self._outcomes().get(name), f"the outcome of {name}"))

    def under(self, attack: Attack) -> ProvenVerdict:
        """Why the door does not believe in the release under this attack; it opened if the verdict is accepted."""
        number = self.gateway.begin(attack)

        def judged() -> list[ProvenVerdict]:
            found = [verdict for asked, verdict in self.verdicts[-8:] if asked == number]
            return [verdict for verdict in found if not verdict.accepted] or found * bool(self.pulses)

        return wait_until(judged, attack.name)[-1]  # type: ignore[no-any-return]

    def _outcomes(self) -> dict[str, str]:
        journal = Journal(self.folder / "journal.sqlite", read_only=True)
        try:
            return {scan[2]: scan[5] for scan in journal.scans(100)}
        finally:
            journal.close()


def sold_chain(ahead_s: int = 0) -> Chain:
    """Sixty blocks up to a moment ago, by clocks that are ahead of this one; the sale is paid for."""
    made = Chain(sealing.keyring(3), start=sealing.world(SOLD), at=int(time.time()) + ahead_s - 60 - BEHIND_S)
    made.seal(60)
    return made


def release(chain: Chain, state: SaleState = RELEASING) -> None:
    """The sealers take the release up, and seal on top of it."""
    chain.seal(state=sealing.world(state))
    chain.seal(DEPTH + 2)


def world(state: SaleState = RELEASING) -> World:
    """A state in which the sale stands like this."""
    return sealing.world(state)


@contextmanager
def lying_door(folder: Path, patch: pytest.MonkeyPatch, ahead_s: int = 0, **settings: object) -> Iterator[LyingDoor]:
    """A running Pi behind a gateway that is honest until told otherwise, and clocks that may be ahead of the Pi's."""
    gateway = Gateway(sold_chain(ahead_s), ahead_s)
    pi, verdicts = _make_pi(folder, patch, gateway, settings)
    thread = threading.Thread(target=pi.run)
    thread.start()
    try:
        yield LyingDoor(gateway, pi, folder, verdicts)
    finally:
        pi.loop.stop()
        thread.join()
        gateway.close()


def _make_pi(
    folder: Path, patch: pytest.MonkeyPatch, gateway: Gateway, settings: dict[str, object]
) -> tuple[Pi, list[tuple[int, ProvenVerdict]]]:
    make_chain_key(folder / "keystore.json", folder / "password")
    (folder / "deployments.json").write_text(json.dumps([_deployment()]))
    table = GOOD | {
        "device_id": DEVICE, "site": SITE, "chain_id": sealing.CHAIN_ID, "chain_url": gateway.url,
        "sealers": [to_hex(address) for address in gateway.chain.addresses], "confirmations": DEPTH,
        "open_without_cloud": True, "open_within_s": 3_600.0, "poll_s": 0.001, "pulse_s": 0.1, "epoch": 30_000,
    }  # fmt: skip
    config = write(folder / "config.toml", table | settings)
    verdicts: list[tuple[int, ProvenVerdict]] = []
    make = pi_module.make_verifier
    patch.setattr(pi_module, "Link", Offline)
    patch.setattr(pi_module, "make_verifier", lambda *parts: _Watched(make(*parts), gateway, verdicts))  # type: ignore[arg-type]
    pi = Pi(make_parts(load_settings(config)))
    pi.loop._tick_s = 0.002
    return pi, verdicts


def _deployment() -> dict[str, object]:
    one = sealing.DEPLOYMENT
    return {name: getattr(one, name) for name in ("chain_id", "factory", "implementation", "registry", "kind")}


class _Watched:
    """The real verifier; tells under which attack each verdict was asked for, and asks again without pausing."""

    def __init__(self, verifier: ProofVerifier, gateway: Gateway, verdicts: list[tuple[int, ProvenVerdict]]) -> None:
        self._verifier, self._gateway, self._verdicts = verifier, gateway, verdicts
        verifier.prover._pause = lambda _: None
        self.verify_owned = verifier.verify_owned

    def verify_releasing(self, *question: Any) -> ProvenVerdict:
        number = self._gateway.number
        verdict = self._verifier.verify_releasing(*question)
        self._verdicts.append((number, replace(verdict, answer=None)))
        return verdict
