"""Deploying: never twice, never half, and known by its code."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hexbytes import HexBytes

from contracts import calls, deploying
from contracts.abi import creation_code
from contracts.calls import Call, send
from contracts.chain import code_at
from contracts.deploying import contract_address
from contracts.deployment import Deployment, deploy, load_deployments, parse_deployments, save_deployments
from contracts.errors import DeploymentError, NodeError
from contracts.registry import DeviceRegistry
from tests.contracts.nodes import Node, anvil
from tests.contracts.world import account, fund


@pytest.fixture
def admin(anvil_node: Node) -> object:
    """Somebody with ether."""
    fund(anvil_node, account("admin").address)
    return account("admin")


def _nonce(node: Node) -> int:
    return int(node.w3.eth.get_transaction_count(account("admin").address))


@pytest.mark.row("T8")
def test_a_second_deployment_finds_the_first(anvil_node: Node, admin: object, deployments: Path) -> None:
    """By its code on the chain: nothing is sent, the list stays as it is."""
    first = deploy(anvil_node.w3, account("admin"), deployments)
    sent, text = _nonce(anvil_node), deployments.read_text()
    assert deploy(anvil_node.w3, account("admin"), deployments) == first
    assert (_nonce(anvil_node), deployments.read_text()) == (sent, text)
    assert load_deployments(deployments) == (first,)
    assert DeviceRegistry.at(anvil_node.w3, first.registry).site(1).name == ""


@pytest.mark.parametrize("stop_after", [0, 1, 2])
def test_an_interrupted_deployment_goes_on(
    anvil_node: Node, admin: object, deployments: Path, stop_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the process died before or after a contract was mined, each contract is created once."""
    sent = _nonce(anvil_node)
    original, left = deploying.send_raw, [stop_after]

    def dying(*arguments: object, **more: object) -> object:
        receipt = original(*arguments, **more)  # type: ignore[arg-type]
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return receipt

    with monkeypatch.context() as patched:
        patched.setattr(deploying, "send_raw", dying)
        with pytest.raises(KeyboardInterrupt):
            deploy(anvil_node.w3, account("admin"), deployments)
    assert not deployments.exists()
    found = deploy(anvil_node.w3, account("admin"), deployments)
    assert _nonce(anvil_node) - sent == 3
    assert all(code_at(anvil_node.w3, one) for one in (found.factory, found.implementation, found.registry))


def test_a_creation_whose_block_is_undone_is_sent_again(
    anvil_node: Node, admin: object, deployments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reorganisation right after the receipt: the very same transaction stands in another block in the end."""
    sent, original, undone = _nonce(anvil_node), deploying.send_raw, []

    def unlucky(*arguments: object, **more: object) -> object:
        before = anvil_node.rpc("evm_snapshot")
        receipt = original(*arguments, **more)  # type: ignore[arg-type]
        if len(undone) < 2:
            undone.append(anvil_node.rpc("evm_revert", before))
        return receipt

    monkeypatch.setattr(deploying, "send_raw", unlucky)
    found = deploy(anvil_node.w3, account("admin"), deployments)
    assert undone == [True, True]
    assert _nonce(anvil_node) - sent == 3
    assert all(code_at(anvil_node.w3, one) for one in (found.factory, found.implementation, found.registry))


@pytest.mark.parametrize("stop_after", [0, 1, 2])
def test_a_deployment_killed_between_sending_and_mining_goes_on(
    anvil_node: Node, admin: object, deployments: Path, stop_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction under way is waited for, or sent once more as it was: no contract is created twice."""
    sent, w3 = _nonce(anvil_node), anvil_node.w3
    original, left = calls.await_receipt, [stop_after]

    def dying(*arguments: object, **more: object) -> object:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        anvil_node.rpc("evm_mine")
        return original(*arguments, **more)  # type: ignore[arg-type]

    with anvil_node.paused(), monkeypatch.context() as patched:
        patched.setattr(calls, "await_receipt", dying)
        with pytest.raises(KeyboardInterrupt):
            deploy(w3, account("admin"), deployments)
        assert w3.eth.get_transaction_count(account("admin").address, "pending") == sent + stop_after + 1
    resumed = threading.Thread(target=anvil_node.rpc, args=("evm_mine",))
    resumed.start()
    found = deploy(w3, account("admin"), deployments)
    resumed.join()
    assert _nonce(anvil_node) - sent == 3
    assert all(code_at(w3, one) for one in (found.factory, found.implementation, found.registry))


def test_a_noted_transaction_that_never_left_is_sent_as_it_was(
    anvil_node: Node, admin: object, deployments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the note and the sending."""
    sent = _nonce(anvil_node)

    def dying(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(deploying, "send_raw", dying)
        with pytest.raises(KeyboardInterrupt):
            deploy(anvil_node.w3, account("admin"), deployments)
    noted = json.loads(deployments.with_name("deployments.json.started").read_text())
    registry = deploy(anvil_node.w3, account("admin"), deployments).registry
    assert registry == contract_address(account("admin").address, next(iter(noted.values()))["nonce"])
    assert _nonce(anvil_node) - sent == 3


def test_a_damaged_note_of_progress_costs_nothing_but_a_contract(
    anvil_node: Node, admin: object, deployments: Path
) -> None:
    """It is no reason to fail."""
    deployments.parent.mkdir()
    deployments.with_name("deployments.json.started").write_text("{half")
    assert deploy(anvil_node.w3, account("admin"), deployments) in load_deployments(deployments)


def test_a_corrected_implementation_is_a_second_entry_with_the_same_registry(
    anvil_node: Node, admin: object, deployments: Path
) -> None:
    """Running sales keep theirs, devices need not be provisioned again."""
    w3 = anvil_node.w3
    current = deploy(w3, account("admin"), deployments)
    nonce = _nonce(anvil_node)
    send(w3, account("admin"), Call(None, HexBytes(creation_code("Sale", account("rival").address)), gas=6_000_000))
    older = replace(current, implementation=contract_address(account("admin").address, nonce))
    save_deployments(deployments, [older])
    newer = deploy(w3, account("admin"), deployments)
    assert load_deployments(deployments) == (older, newer)
    assert newer.registry == older.registry
    assert newer.implementation not in (older.implementation, current.implementation)


def test_two_deployments_at_once_make_one(anvil_node: Node, admin: object, deployments: Path) -> None:
    """The second waits and finds the first."""
    found: list[Deployment] = []
    threads = [
        threading.Thread(target=lambda: found.append(deploy(anvil_node.w3, account("admin"), deployments)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert len(load_deployments(deployments)) == 1


def test_a_list_of_an_earlier_chain_is_refused_in_words(
    anvil_node: Node, admin: object, deployments: Path, tmp_path: Path
) -> None:
    """The same chain id, but the contracts are not there."""
    deploy(anvil_node.w3, account("admin"), deployments)
    with anvil(tmp_path) as fresh:
        fund(fresh, account("admin").address)
        with pytest.raises(DeploymentError, match="earlier chain with the same id"):
            deploy(fresh.w3, account("admin"), deployments)


def test_an_account_without_ether_is_told_so(anvil_node: Node, deployments: Path) -> None:
    """By the node's own words, as this package's error."""
    with pytest.raises(NodeError, match=r"(?i)insufficient funds"):
        deploy(anvil_node.w3, account("pauper"), deployments)
    assert not deployments.exists()


ROW = asdict(Deployment(1, "0x" + "11" * 20, "0x" + "22" * 20, "0x" + "33" * 20))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        "x",
        [1],
        [[]],
        [{}],
        [{key: value for key, value in ROW.items() if key != "kind"}],
        [ROW | {"more": 1}],
        [ROW | {"chain_id": "1"}],
        [ROW | {"chain_id": True}],
        [ROW | {"chain_id": 0}],
        [ROW | {"factory": "0x12"}],
        [ROW | {"registry": None}],
        [ROW | {"kind": None}],
        [ROW | {"kind": ""}],
    ],
    ids=repr,
)
def test_a_list_that_holds_something_else_is_refused(data: object) -> None:
    """Nothing is guessed."""
    with pytest.raises(DeploymentError):
        parse_deployments(data)


def test_a_list_is_written_as_a_whole_and_read_back(tmp_path: Path) -> None:
    """In its order, with nothing left beside it."""
    path = tmp_path / "deployments.json"
    rows = tuple(parse_deployments([ROW, ROW | {"chain_id": 2}]))
    save_deployments(path, rows)
    assert load_deployments(path) == rows
    assert json.loads(path.read_text())[1]["chain_id"] == 2
    assert [one.name for one in tmp_path.iterdir()] == ["deployments.json"]


@pytest.mark.parametrize("text", ["", "{half", "[]]", "\x00"])
def test_a_list_that_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    """With the file's name in the message."""
    path = tmp_path / "deployments.json"
    path.write_text(text)
    with pytest.raises(DeploymentError, match=str(path)):
        load_deployments(path)


def test_no_list_says_how_to_make_one(tmp_path: Path) -> None:
    """It is the first thing that a newcomer sees."""
    with pytest.raises(DeploymentError, match="python -m contracts deploy"):
        load_deployments(tmp_path / "deployments.json")
