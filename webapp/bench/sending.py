"""What is sent: through the outbox and by a bare sender, and a thousand listings from one file."""

import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes

from contracts.calls import Call, send
from contracts.chain import connect
from contracts.deployment import deploy
from contracts.registry import DeviceRegistry
from webapp.batch import COLUMNS, read_csv
from webapp.bench import weighing
from webapp.bench.figures import say
from webapp.chain import Chain
from webapp.fee_market import Signer
from webapp.index.follower import Follower
from webapp.outbox import Outbox, Planned
from webapp.people import Role, create_account
from webapp.selling import plans_of
from webapp.services import Services
from webapp.settings import Settings
from webapp.settling import Settler

ANVIL = Path(__file__).parents[2] / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
TREASURY = Account.from_key("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")  # anvil's own
PHRASE = "of a key that lives as long as this run"
SENT = 2_000
A_FORM = 20
ROUNDS = 3
LISTINGS = 1_000


def measure(folder: Path) -> None:
    """Run all that needs a chain."""
    home = folder / "sending"
    (home / "contracts").mkdir(parents=True)
    with anvil() as url:
        deploy(connect(url), TREASURY, home / "contracts" / "deployments.json")
        parts = Services.open(Settings(home=home, rpc=(url,), scrypt_n=1024, confirmations=1))
        parts.database.migrate()
        _ratio(parts)
        _batch(parts)
        parts.close()
        weighing.serve(home, url)


@contextmanager
def anvil() -> Iterator[str]:
    """Run a chain that mines each transaction at once; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["setpriv", "--pdeathsig", "KILL", "--", str(ANVIL), "--hardfork", "london", "--port", str(port)]
    process = subprocess.Popen([*command, "--balance", "100000000"], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    while not connect(url).is_connected():
        time.sleep(0.05)
    try:
        yield url
    finally:
        process.kill()
        process.wait()


def _ratio(parts: Services) -> None:
    """Measure transactions that are signed, sent and mined: in forms through the outbox, and by loops of their own."""
    parts.chain.node.call("evm_setIntervalMining", 1)
    rounds = [(_through_outbox(parts, number), _bare(parts), _bare(parts, quick=True)) for number in range(ROUNDS)]
    parts.chain.node.call("evm_setIntervalMining", 0)
    parts.chain.node.call("evm_setAutomine", True)
    figure = "transactions signed, sent and mined: outbox / bare sender"
    _say_ratio(figure, [outbox / bare for outbox, bare, _quick in rounds], ">= 0.85")
    _say_ratio(f"{figure} with the outbox's signer", [outbox / quick for outbox, _bare, quick in rounds], "")


def _say_ratio(figure: str, found: list[float], target: str) -> None:
    how = f"{min(found):.2f} to {max(found):.2f}, {ROUNDS} rounds of {SENT}, {A_FORM} a form"
    say(figure, statistics.median(found), "of the bare rate", target, spread=how)


def _funded(parts: Services) -> bytes:
    key = Account.create()
    send(parts.chain.w3, TREASURY, Call(key.address, HexBytes(b""), 10**20, 21_000))
    return bytes(key.key)


def _through_outbox(parts: Services, number: int) -> float:
    """Return the rate at which forms are signed, stored, sent and mined; what follows them is a process of its own."""
    key, outbox = _funded(parts), Outbox(parts.database, parts.chain)
    user = create_account(parts.database, parts.unlocker, name=f"sender {number}", passphrase=PHRASE, key=key)
    plan = Planned(Call(TREASURY.address, HexBytes(b""), 1, 21_000), "send", "")
    began = time.perf_counter()
    for form in range(SENT // A_FORM):
        outbox.submit(user.id, key, f"{number}-{form}", [plan] * A_FORM)
    rate = _mined(parts.chain, user.address, began)
    settler = Settler(parts.database, parts.chain, 1)
    while settler.round():
        pass
    return rate


def _bare(parts: Services, *, quick: bool = False) -> float:
    """Return the rate of a loop that signs, sends and forgets: with the key library, or as the outbox signs."""
    key, node, fees = _funded(parts), parts.chain.node, parts.chain.fees()
    account, signer = Account.from_key(key), Signer(key, parts.chain.chain_id)
    call = Call(TREASURY.address, HexBytes(b""), 1, 21_000)
    began = time.perf_counter()
    for first in range(0, SENT, A_FORM):
        nonces = range(first, first + A_FORM)
        if quick:
            signed = [signer.sign(call, nonce, fees).raw for nonce in nonces]
        else:
            signed = [_signed(parts.chain, account, nonce, fees) for nonce in nonces]
        node.batch([("eth_sendRawTransaction", ["0x" + raw.hex()]) for raw in signed])
    return _mined(parts.chain, account.address, began)


def _mined(chain: Chain, sender: str, began: float) -> float:
    while chain.nonce(sender) < SENT:
        time.sleep(0.05)
    return SENT / (time.perf_counter() - began)


def _signed(chain: Chain, account: LocalAccount, nonce: int, fees: tuple[int, int]) -> bytes:
    call = {"type": 2, "chainId": chain.chain_id, "nonce": nonce, "to": TREASURY.address, "value": 1, "gas": 21_000}
    signed = account.sign_transaction({**call, "maxFeePerGas": fees[0], "maxPriorityFeePerGas": fees[1]})
    return bytes(signed.raw_transaction)


def _batch(parts: Services) -> None:
    """List a thousand items from one file; count the blocks, and let the index catch up."""
    w3, chain = parts.chain.w3, parts.chain
    registry = DeviceRegistry.at(w3, chain.deployments[-1].registry)
    send(w3, TREASURY, registry.list_operator(TREASURY.address, "Bench"))
    send(w3, TREASURY, registry.open_site("Bench"))
    key = _funded(parts)
    user = create_account(parts.database, parts.unlocker, name="lister", passphrase=PHRASE, role=Role.SELLER, key=key)
    lines = (f"Nimbus,alpha,{number},2019,1,1,0\n" for number in range(LISTINGS))
    batch = read_csv((",".join(COLUMNS) + "\n" + "".join(lines)).encode(), {1})
    chain.node.call("evm_setIntervalMining", 1)
    before, began = chain.head().number, time.perf_counter()
    parts.outbox.submit(user.id, key, "f" * 32, plans_of(parts, user.address, batch.good))
    while chain.nonce(user.address) < chain.nonce(user.address, "pending"):
        time.sleep(0.1)
    blocks, took = chain.head().number - before, time.perf_counter() - began
    say(
        f"{LISTINGS:,} listings from one CSV file, mined", blocks, "blocks of a second", "<= 20", spread=f"{took:.1f} s"
    )
    began = time.perf_counter()
    Follower(parts.database, chain).catch_up()
    say("the same, followed from the node into the index", LISTINGS / (time.perf_counter() - began), "listings/s")
