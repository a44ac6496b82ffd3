"""Every attack of a lying gateway on a whole Pi, counted at its gate: the lock is never pulsed."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.batch import RpcError
from contracts.headers import FIELDS
from contracts.hexadecimal import to_hex
from contracts.sale_state import SaleState, Status
from iot_client.chain import settlement
from iot_client.journal import Journal
from tests.contracts.proof import sealing
from tests.contracts.proof.lying import flip_hex, rehash
from tests.contracts.proof.sealing import Chain, minimal
from tests.contracts.proof.test_attacks_on_answers import tampered_proofs
from tests.iot_client.lying_gateway import (
    DEPTH,
    DEVICE,
    OWNER,
    SOLD,
    Attack,
    Gateway,
    LyingDoor,
    lying_door,
    release,
    world,
)
from tests.iot_client.warehouse import wait_until

pytestmark = pytest.mark.slow

LONG_BEFORE_THE_RELEASE = 40
READ = {"hash", *(name for name, _ in FIELDS)}
STRANGERS = sealing.keyring(40, "stranger")
Header = dict[str, Any]


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LyingDoor]:
    """A Pi whose gateway can lie."""
    with lying_door(tmp_path / "gate", monkeypatch) as made:
        yield made


def test_the_whole_table_of_attacks_opens_nothing(door: LyingDoor) -> None:
    """Forged chains while the sale is only paid for, forged answers once it is released; the truth opens once."""
    assert door.show() == "released"
    found = Counter(judged(door, attack) for attack in on_the_chain())
    release(door.gateway.chain)
    found += Counter(judged(door, attack) for attack in on_answers())
    print(f"\n{sum(found.values())} attacks: {dict(found.most_common())}")
    assert sum(found.values()) >= 300
    opens_once(door)


def test_no_flipped_bit_opens_anything(door: LyingDoor, pytestconfig: pytest.Config) -> None:
    """One bit of the answer as it travels; twenty thousand of them under --long."""
    assert door.show() == "released"
    release(door.gateway.chain)
    dice, flips = random.Random(4), 20_000 if pytestconfig.getoption("--long") else 200
    found = Counter(judged(door, Attack(f"flip {number}", body=one_bit(dice))) for number in range(flips))
    print(f"\n{flips} flips: {dict(found.most_common())}")
    opens_once(door)


@pytest.mark.parametrize(
    "state",
    [
        SaleState(Status.RELEASING, OWNER.address, 0, 0, DEVICE + 1),
        SaleState(Status.RELEASING, OWNER.address, 1, 0, DEVICE),
        SaleState(Status.RELEASED, OWNER.address, 0, 0, DEVICE),
    ],
    ids=["another device", "another attempt", "already released"],
)
def test_what_is_proven_of_another_release_ends_this_one(door: LyingDoor, state: SaleState) -> None:
    """Sealed by all, and not what this door waits for."""
    assert door.show() == "released"
    release(door.gateway.chain, state)
    wait_until(lambda: not list(door.pi.releases.in_hand), "the end of the release")
    assert door.pulses == 0


def test_a_lie_about_the_owner_is_told_to_the_person(door: LyingDoor) -> None:
    """A picture held up while the gateway lies: the scan's outcome is that a node lied, and nothing is sent."""
    door.gateway.begin(Attack("foreign code", result=only("eth_getCode", flip_hex)))
    assert door.show() == "node-lied"
    assert (door.gateway.mined, door.pulses) == ({}, 0)
    assert "not what the sealers signed" in (door.folder / "door.txt").read_text()


def test_a_release_that_is_reorganised_away_after_the_opening_goes_to_the_operator(
    door: LyingDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The goods are gone and the chain has taken the release back: no second pulse, and nobody is left to guess."""
    monkeypatch.setattr(settlement, "UNDONE_AFTER_S", 0.2)
    assert door.show() == "released"
    release(door.gateway.chain)
    opens_once(door)
    door.gateway.begin(Attack("taken back", shows=forged(lambda fork: fork.seal(14, state=world(SOLD)))))
    wait_until(lambda: [one.state for one in door.pi.releases.in_hand] == ["case"], "a case")
    wait_until(lambda: "call the operator" in (door.folder / "door.txt").read_text(), "the door's word")
    assert door.pulses == 1


def test_with_the_cloud_away_a_proven_release_opens_by_the_local_path(door: LyingDoor) -> None:
    """Where the door is allowed to; journalled as local. What the gateway said against the proof is told."""
    assert door.show() == "released"
    release(door.gateway.chain)
    opens_once(door)
    journal = Journal(door.folder / "journal.sqlite", read_only=True)
    assert [record.local for record in journal.releases()] == [True]
    alarms = [body for _, body in journal.unsent_events() if body["event"] == "alarm"]
    journal.close()
    assert {alarm["kind"] for alarm in alarms} >= {"call-differs"}


def test_with_the_cloud_away_nothing_is_begun_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The voucher stays good; the operator is told of a low balance while there is still enough."""
    settings = {"open_without_cloud": False, "low_balance_wei": 2 * 10**18}
    with lying_door(tmp_path / "gate", monkeypatch, **settings) as door:
        assert (door.show(), door.show("again.png")) == ("cloud-unreachable", "cloud-unreachable")
        assert door.gateway.mined == {}
        journal = Journal(door.folder / "journal.sqlite", read_only=True)
        alarms = [body for _, body in journal.unsent_events() if body.get("kind") == "low-balance"]
        journal.close()
        assert len(alarms) == 1


def judged(door: LyingDoor, attack: Attack) -> str:
    """Why the release is not believed under this attack; nothing may have opened."""
    verdict = door.under(attack)
    assert not verdict.accepted, attack.name
    assert door.pulses == 0, attack.name
    return str(verdict.flaw or verdict.reason)


def opens_once(door: LyingDoor) -> None:
    """The truth opens, though `eth_call` says the contrary: otherwise all of this would prove nothing."""
    door.gateway.begin(Attack("eth_call says no", result=only("eth_call", lambda _: to_hex(bytes(32)))))
    wait_until(lambda: door.pulses, "the gate")
    wait_until(lambda: "OPEN." in (door.folder / "door.txt").read_text(), "the sensor")
    assert door.pulses == 1


def only(wanted: str, change: Callable[[Any], Any]) -> Any:
    """Changes the results of one method."""
    return lambda method, _params, result, _gateway: change(result) if method == wanted else result


def one_bit(dice: random.Random) -> Callable[[bytes], bytes]:
    """Flips a bit of what a door reads; what it does not read is left out, as are the published calls that it may."""

    def flip(body: bytes) -> bytes:
        answers = [{"id": one["id"], "result": _read(one.get("result"))} for one in json.loads(body)]
        changed = bytearray(json.dumps(answers, separators=(",", ":")).encode())
        place = dice.randrange(changed.index(b"accountProof"), len(changed))
        changed[place] ^= 1 << dice.randrange(8)
        return bytes(changed)

    return flip


def _read(result: Any) -> Any:
    return {k: v for k, v in result.items() if k in READ} if isinstance(result, dict) and "miner" in result else result


# Forged answers about a chain on which the release is true


def on_answers() -> Iterator[Attack]:
    """Every field, node, code, count and order."""
    yield from on_headers()
    yield from on_proofs()
    for value in (None, 1, "", "0x1", [], "abc", "0x", "0x" + "00" * 30_000):
        yield Attack(f"code {value!r:.20}", result=only("eth_getCode", lambda _, value=value: value))
    yield Attack("code changed", result=only("eth_getCode", flip_hex))
    yield from on_batches()


def on_headers() -> Iterator[Attack]:
    """Every field of every header of the row, with the old hash and with a new one; malformed ones at the head."""
    for back in range(DEPTH + 1):
        for name, _ in FIELDS:
            yield Attack(f"header {back} {name}", result=header(back, lambda h, n=name: h | {n: flip_hex(h[n])}))
            yield Attack(
                f"header {back} {name}, new hash",
                result=header(back, lambda h, n=name: rehash(h | {n: flip_hex(h[n])})),
            )
    for name in ("hash", *(name for name, _ in FIELDS)):
        for value in (None, 7, "0x0g", "0x" + "f" * 70_000, [], True):
            yield Attack(f"header {name} {value!r:.20}", result=header(0, lambda h, n=name, v=value: h | {n: v}))


def header(back: int, change: Callable[[Header], Header]) -> Any:
    """Changes the header so far below the head."""

    def rewrite(method: str, params: list[Any], result: Any, gateway: Gateway) -> Any:
        if method != "eth_getBlockByNumber" or params[0] == "latest" or not result:
            return result
        return change(result) if int(params[0], 16) == gateway.shown.head.number - back else result

    return rewrite


def on_proofs() -> Iterator[Attack]:
    """Every way to spoil a list of nodes, and what is said beside it."""
    for name, change in tampered_proofs():
        yield Attack(
            f"account proof {name}",
            result=only("eth_getProof", lambda p, c=change: p | {"accountProof": c(p["accountProof"])}),
        )
        yield Attack(
            f"storage proof {name}",
            result=only("eth_getProof", lambda p, c=change: in_slot(p, c)),
        )
    for key, value in {
        "address": "0x" + "11" * 20, "balance": "0x1", "nonce": "0x2", "codeHash": "0x" + "11" * 32,
        "storageHash": "0x" + "11" * 32, "storageProof": [],
    }.items():  # fmt: skip
        yield Attack(f"said {key}", result=only("eth_getProof", lambda p, k=key, v=value: p | {k: v}))


def in_slot(proof: dict[str, Any], change: Any) -> dict[str, Any]:
    """The slot's nodes changed."""
    slot = proof["storageProof"][0]
    return proof | {"storageProof": [slot | {"proof": change(slot["proof"])}]}


def on_batches() -> Iterator[Attack]:
    """Order, number, repetition, absence; an old state; another sale's."""
    yield Attack("reversed", batch=lambda results: results[::-1])
    yield Attack("truncated", batch=lambda results: results[:-1])
    yield Attack("rotated", batch=lambda results: results[1:] + results[:1])
    yield Attack("all the last", batch=lambda results: [results[-1] for _ in results])
    yield Attack("all nothing", batch=lambda results: [None for _ in results])
    yield Attack("pruned", result=only("eth_getProof", lambda _: RpcError(-32000, "missing trie node 12ab (path )")))
    # The chain grows as time passes: so many blocks back could be after the release, and then it would be no lie.
    yield Attack("another block's", result=shifted("eth_getProof", lambda _: LONG_BEFORE_THE_RELEASE))
    yield Attack("an older row", result=shifted("eth_getBlockByNumber", lambda number: number - 1))


def shifted(wanted: str, to: Callable[[int], int]) -> Any:
    """Answers about another block than was asked for."""

    def rewrite(method: str, params: list[Any], result: Any, gateway: Gateway) -> Any:
        if method != wanted or "latest" in (params[0], params[-1]):
            return result
        place = 0 if method == "eth_getBlockByNumber" else -1
        moved = list(params)
        moved[place] = hex(to(int(params[place], 16)))
        return sealing.Node(gateway.shown).answer(method, moved)

    return rewrite


# Forged chains while the release is not on the chain


def on_the_chain() -> Iterator[Attack]:
    """Forks by a minority, strangers, stale and future pictures, stolen seals, other chains."""
    yield Attack("says that it was mined", shows=lambda gateway: gateway.chain)
    yield Attack("a fork by one of three", shows=forged(lambda fork: fork.seal(14, by=fork.sealers[0], state=world())))
    yield Attack("a fork by strangers", shows=forged(by_strangers))
    for between in (1, 2, 5):
        yield Attack(f"one of three, {between} strangers between", shows=forged(by_one_and_strangers(between)))
    yield Attack("another chain's sealers", shows=other_chain)
    yield Attack("a stale picture", shows=stale)
    yield Attack("a stale picture made fresh by strangers", shows=lambda gateway: freshened(gateway, STRANGERS[:4]))
    yield Attack(
        "a stale picture made fresh by one", shows=lambda gateway: freshened(gateway, gateway.chain.sealers[:1])
    )
    yield Attack("a fork in the future", shows=forged(in_the_future))
    yield Attack("no signatures", shows=forged(without_seals))
    yield Attack("seals of other blocks", shows=forged(with_stolen_seals))
    yield Attack("a head that goes back", shows=shortened)
    yield Attack("reorganised between depth and top", shows=Reorganised())


def forged(make: Callable[[Chain], object]) -> Callable[[Gateway], Chain]:
    """A fork from 14 blocks ago, made once."""
    made: list[Chain] = []

    def shows(gateway: Gateway) -> Chain:
        if not made:
            fork = gateway.chain.fork()
            del fork.blocks[-14:], fork.worlds[-14:]
            make(fork)
            made.append(fork)
        return made[0]

    return shows


def by_strangers(fork: Chain) -> None:
    """Fourteen of them."""
    for key in STRANGERS[:14]:
        fork.seal(by=key, state=world())


def by_one_and_strangers(between: int) -> Callable[[Chain], None]:
    """The one known sealer, and so many strangers after each of its blocks."""

    def make(fork: Chain) -> None:
        for number in range(14):
            fork.seal(by=STRANGERS[number] if (13 - number) % (between + 1) else fork.sealers[0], state=world())

    return make


def in_the_future(fork: Chain) -> None:
    """Sealed by all, an hour ahead: as if their clocks had been moved."""
    fork.seal(1, state=world(), timestamp=minimal(fork.head.timestamp + 3_600))
    fork.seal(13)


def without_seals(fork: Chain) -> None:
    """Zeros where the signature was."""
    fork.seal(14, state=world())
    for number in range(-14, 0):
        fork.blocks[number] = with_extra(fork, number, fork.blocks[number].extra[:-65] + bytes(65))


def with_stolen_seals(fork: Chain) -> None:
    """Genuine signatures over something else."""
    for _ in range(14):
        fork.seal(state=world())
        fork.blocks[-1] = with_extra(fork, -1, fork.head.extra[:-65] + fork.blocks[5].extra[-65:])


def with_extra(chain: Chain, number: int, extra: bytes) -> Any:
    """The header with other extra data."""
    items = list(chain.blocks[number].items)
    items[sealing.ITEM["extraData"]] = extra
    return type(chain.blocks[number])(tuple(items))


def other_chain(gateway: Gateway) -> Chain:
    """As many blocks by as many sealers, of another chain."""
    chain = gateway.chain
    other = Chain(sealing.keyring(3, "other"), start=world(), at=chain.blocks[0].timestamp)
    other.seal(chain.head.number)
    return other


def stale(gateway: Gateway, age_s: int = 600) -> Chain:
    """The same keys sealed such a release, long ago."""
    chain = gateway.chain
    old = Chain(chain.sealers, start=world(), at=chain.blocks[0].timestamp - age_s)
    old.seal(chain.head.number)
    return old


def freshened(gateway: Gateway, keys: list[Any]) -> Chain:
    """Headers with today's time on an old row."""
    old = stale(gateway)
    for place, key in enumerate(keys):
        old.seal(by=key, timestamp=minimal(gateway.chain.head.timestamp + place))
    return old


def shortened(gateway: Gateway) -> Chain:
    """The truth of ten blocks ago."""
    chain = gateway.chain.fork()
    del chain.blocks[-10:], chain.worlds[-10:]
    return chain


class Reorganised:
    """Deep on one side of a fork that all sealers sealed, gone at the top of the other."""

    def __init__(self) -> None:
        self._asked = 0
        self._released = forged(lambda fork: (fork.seal(6, state=world()), fork.seal(8)))

    def __call__(self, gateway: Gateway) -> Chain:
        """The released side for the first question."""
        self._asked += 1
        return self._released(gateway) if self._asked == 1 else gateway.chain
