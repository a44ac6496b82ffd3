"""A consortium on machines of its own: network namespaces, one run folder each."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from geth_network import members
from geth_network.cards import Bundle, Card
from geth_network.network import Role
from geth_network.patrol import ask_peers
from geth_network.settings import Settings
from tests.geth_network.chain import Chain, await_that, standing_still
from tests.geth_network.machines import Machine, Site

pytestmark = pytest.mark.slow


@pytest.fixture
def machines() -> Iterator[list[Machine]]:
    """Three machines on one switch."""
    with ExitStack() as folders:
        homes = [Path(folders.enter_context(tempfile.TemporaryDirectory(prefix="lc", dir="/tmp"))) for _ in range(3)]
        site = Site(homes)
        try:
            yield site.machines
        finally:
            site.remove()


def sealer(machine: Machine) -> str:
    """The name of a machine's sealer."""
    return machine.chain.names(Role.SEALER)[0]


def signers(machine: Machine) -> set[str]:
    """The sealers that a machine's chain lists."""
    return {address.lower() for address in machine.chain.ask(sealer(machine))("clique_getSigners")}


def address(machine: Machine) -> str:
    """The address of a machine's sealer."""
    return str(machine.chain.network().of_role(Role.SEALER)[0].address).lower()


def key_of(machine: Machine) -> str:
    """By what its peers know a machine's sealer."""
    return machine.chain.network().of_role(Role.SEALER)[0].public_key


@contextmanager
def joined(first: Machine, newcomer: Machine, voters: list[Machine]) -> Iterator[str]:
    """A newcomer joins by bundle and card, starts, is let in and voted for."""
    bundle = members.export(first.chain.folder, ca="a certificate").to_json()
    settings = Settings(sealers=1, rpc_nodes=0, **newcomer.place)
    card = members.join(newcomer.chain.folder, Bundle.from_json(bundle), settings, f"m{newcomer.number}").to_json()
    for voter in voters:
        members.admit(voter.chain.folder, Card.from_json(card))
    with newcomer.chain.up(prefix=newcomer.prefix, wait=False):
        for voter in voters:
            members.add_member(voter.chain.folder, Card.from_json(card), print)
        newcomer.chain.await_ready()
        yield bundle + card


def heads_agree(machines: list[Machine], since: int) -> bool:
    """Whether all machines are on one chain that has grown beyond a height."""
    numbers = [machine.chain.number(sealer(machine)) for machine in machines]
    if min(numbers) <= since:
        return False
    return len({machine.chain.block_hash(sealer(machine), min(numbers)) for machine in machines}) == 1


def agree(*machines: Machine) -> int:
    """Waits until all machines are on one growing chain; returns a height on it."""
    since = max(machine.chain.number(sealer(machine)) for machine in machines)
    await_that(lambda: heads_agree(list(machines), since), "one chain on all machines")
    return since


@pytest.mark.row("B2", "T7")
def test_three_members_on_three_machines(machines: list[Machine]) -> None:
    """Bundle, card, votes; one member cut off, then all, and healed; one voted out. No key leaves its machine."""
    first, second, third = machines
    first.chain.new(sealers=1, rpc_nodes=1, **first.place | {"rpc_port": 0})
    with first.chain.up(prefix=first.prefix), joined(first, second, [first]) as told:
        assert_no_secret(second, told)
        with joined(first, third, [first, second]):
            everybody = {address(machine) for machine in machines}
            await_that(lambda: signers(first) == everybody, "three listed sealers")
            agree(*machines)

            third.cut()
            first.chain.await_progress(sealer(first), blocks=4)
            third.heal()
            agree(*machines)

            for machine in machines:
                machine.cut()
            await_that(lambda: standing_still(first.chain, sealer(first)), "nobody alone goes on")
            for machine in machines:
                machine.heal()
            agree(*machines)

            said: list[str] = []
            members.remove_member(first.chain.folder, address(third), said.append)
            assert "stays connected until then" in said[-1]
            members.remove_member(second.chain.folder, address(third), print)
            await_that(lambda: signers(first) == everybody - {address(third)}, "two listed sealers")
            assert key_of(third) in ask_peers(first.chain.ask(sealer(first)))
            members.remove_member(first.chain.folder, address(third), print)
            await_that(lambda: key_of(third) not in ask_peers(first.chain.ask(sealer(first))), "the third let go")
            agree(first, second)


def assert_no_secret(machine: Machine, told: str) -> None:
    """Neither bundle nor card holds a key."""
    account = machine.chain.folder.data(sealer(machine)) / "account"
    keystore = json.loads((account / "keystore.json").read_text())
    assert keystore["crypto"]["ciphertext"] not in told
    assert (account / "password").read_text().strip() not in told
    assert (machine.chain.folder.data(sealer(machine)) / "geth" / "nodekey").read_text() not in told


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_isolated_members_heal_twenty_times(machines: list[Machine]) -> None:
    """Every machine cut off for 5 to 60 s, then healed: one chain again, each time within 20 s."""
    first, second, third = machines
    first.chain.new(sealers=1, rpc_nodes=0, **first.place)
    healings = []
    with first.chain.up(prefix=first.prefix), joined(first, second, [first]), joined(first, third, [first, second]):
        for number in range(20):
            agree(*machines)
            for machine in machines:
                machine.cut()
            time.sleep((5, 15, 35, 60)[number % 4])
            for machine in machines:
                machine.heal()
            healed = time.monotonic()
            agree(*machines)
            healings.append(round(time.monotonic() - healed, 1))
            print(f"round {number + 1}: one chain again after {healings[-1]} s", flush=True)
    assert max(healings) <= 20, healings


def test_a_foreign_bundle_and_a_wrong_card_are_refused(home: Path, tmp_path: Path) -> None:
    """In words, and nothing is made or changed."""
    chain = Chain(home)
    chain.new(sealers=1, rpc_nodes=0)
    before = chain.folder.network.read_text()
    card = tmp_path / "card.json"
    peer = {"name": "other-1", "enode": f"enode://{'12' * 64}@127.0.0.1:30300"}
    for text, words in (
        ("{", "not a member's card"),
        ("[" * 50_000, "not a member's card"),
        (json.dumps({"chain_id": 5, "genesis_hash": "0x00", "peers": []}), "it names no node"),
        (json.dumps({"chain_id": 5, "genesis_hash": "0x00", "peers": [peer]}), "card is for chain 5"),
        (
            json.dumps({"chain_id": 5, "genesis_hash": "0x00", "peers": [{"name": "x", "enode": "enode://1@h:1"}]}),
            "enode",
        ),
    ):
        card.write_text(text)
        refused = chain.run("add-member", str(card), check=False)
        assert refused.returncode == 1
        assert words in refused.stderr
    assert chain.folder.network.read_text() == before


def test_bundle_and_card_pass_through_files(home: Path, tmp_path: Path) -> None:
    """`export` and `join` as a person types them; the CA's certificate goes along; a changed genesis is refused."""
    first, second = Chain(home), Chain(tmp_path)
    first.new(sealers=1, rpc_nodes=0, peer_port=30300)
    bundle, card, ca = tmp_path / "bundle.json", tmp_path / "card.json", tmp_path / "ca.pem"
    ca.write_text("a certificate")
    first.run("export", str(bundle), "--ca", str(ca))
    changed = tmp_path / "changed.json"
    changed.write_text(bundle.read_text().replace('"balance": "0x', '"balance": "0x1'))
    join = ("--name", "second", "--card", str(card), "--sealers", "1", "--rpc-nodes", "1", "--peer-port", "0")
    assert "changed on the way" in second.run("join", str(changed), *join, check=False).stderr
    second.run("join", str(bundle), *join)
    assert second.network().genesis_hash == first.network().genesis_hash
    assert second.names() == ["second-1", "second-rpc-1"]
    assert (second.folder.path / "ca.pem").read_text() == "a certificate"
    assert Card.from_json(card.read_text()).peers[0].address not in first.network().sealers
