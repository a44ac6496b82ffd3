"""A lying gateway rewrites answers: no field, node, code, order or count can be changed unnoticed."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.batch import RpcError
from contracts.headers import FIELDS
from contracts.hexadecimal import to_hex
from contracts.proof_errors import Flaw
from contracts.proof_verifier import ProofVerifier
from contracts.sale_state import SaleState, Status
from contracts.verdict import Reason
from tests.contracts.proof import sealing
from tests.contracts.proof.conftest import prover_of
from tests.contracts.proof.lying import Gate, Liar, Rewrite, flip_hex, header_only, honest, method_only, rehash
from tests.contracts.proof.sealing import Chain, Node

HEAD = 12


def releasing_chain(blocks: int = HEAD, sealers: int = 3) -> Chain:
    """Releasing by device 7 since long."""
    made = Chain(sealing.keyring(sealers), start=sealing.world(sealing.RELEASING))
    made.seal(blocks)
    return made


def gate_behind(chain: Chain, rewrite: Rewrite, node: Node | None = None) -> Gate:
    """A gate whose gateway rewrites."""
    prover = prover_of(Node(chain))
    prover.call = Liar(node or Node(chain), rewrite)
    return Gate(ProofVerifier(prover, site=1))


def test_an_honest_gateway_opens_the_gate() -> None:
    """Otherwise the tests below would prove nothing."""
    chain = releasing_chain()
    gate = gate_behind(chain, honest(Node(chain)).rewrite)
    assert gate.try_to_open()
    assert gate.opened == 1


@pytest.mark.row("N3")
@pytest.mark.parametrize("number", range(HEAD - 3, HEAD + 1))
@pytest.mark.parametrize("name", [name for name, _ in FIELDS])
@pytest.mark.parametrize("fixed", [False, True], ids=["same hash", "new hash"])
def test_no_field_of_no_header_can_be_changed(number: int, name: str, fixed: bool) -> None:
    """With or without a hash that fits the change."""

    def change(header: dict[str, Any]) -> dict[str, Any]:
        header[name] = flip_hex(header[name])
        return rehash(header) if fixed else header

    gate = gate_behind(releasing_chain(), header_only(number, change))
    assert not gate.try_to_open()
    assert gate.opened == 0
    assert gate.flaw is not None


@pytest.mark.parametrize("value", [None, 7, "", "0x", "0x0g", "0X1", "0x01", "0x" + "f" * 70_000, [], {}, True])
@pytest.mark.parametrize("name", ["hash", *(name for name, _ in FIELDS)])
def test_no_field_of_a_header_may_be_malformed(name: str, value: object) -> None:
    """Refused before anything is decoded."""
    if name in ("number", "gasUsed") and value == "0x0":
        return
    gate = gate_behind(releasing_chain(), header_only(HEAD, lambda header: header | {name: value}))
    assert not gate.try_to_open()
    assert gate.reason is Reason.NODE_LIED


def tampered_proofs() -> list[tuple[str, Any]]:
    """Every way to spoil a list of trie nodes."""
    changes: list[tuple[str, Any]] = [
        ("empty", lambda _: []),
        ("truncated", lambda nodes: nodes[:-1]),
        ("without its root", lambda nodes: nodes[1:]),
        ("repeated", lambda nodes: [*nodes, nodes[-1]]),
        ("doubled", lambda nodes: nodes * 2),
        ("reversed", lambda nodes: nodes[::-1] if len(nodes) > 1 else []),
        ("with a foreign node", lambda nodes: [*nodes, "0xc0"]),
        ("huge", lambda nodes: nodes * 4_000),
        ("a huge node", lambda _: ["0x" + "f" * 3_000_000]),
        ("a deep node", lambda _: ["0x" + "c1" * 1_000 + "c0"]),
        ("empty nodes", lambda nodes: ["0x" for _ in nodes]),
        ("not hexadecimal", lambda nodes: [node.replace("a", "z") + "z" for node in nodes]),
        ("not a list", lambda nodes: {"0": nodes}),
        ("nothing", lambda _: None),
        ("numbers", lambda _: [1, 2, 3]),
    ]
    changes += [(f"node {index} changed", _changed(index)) for index in range(2)]
    return changes


def _changed(index: int) -> Any:
    def change(nodes: list[str]) -> list[str]:
        index_ = min(index, len(nodes) - 1)
        return [flip_hex(node, 20) if place == index_ else node for place, node in enumerate(nodes)]

    return change


@pytest.mark.parametrize("change", [change for _, change in tampered_proofs()], ids=[n for n, _ in tampered_proofs()])
@pytest.mark.parametrize("which", ["account", "storage"])
def test_no_proof_can_be_tampered_with(which: str, change: Any) -> None:
    """Neither the account's nor the slot's."""

    def rewrite(proof: dict[str, Any]) -> dict[str, Any]:
        if which == "account":
            proof["accountProof"] = change(proof["accountProof"])
        else:
            proof["storageProof"][0]["proof"] = change(proof["storageProof"][0]["proof"])
        return proof

    gate = gate_behind(releasing_chain(), method_only("eth_getProof", rewrite))
    assert not gate.try_to_open()
    assert gate.reason is Reason.NODE_LIED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("address", "0x" + "11" * 20),
        ("balance", "0x1"),
        ("nonce", "0x2"),
        ("codeHash", "0x" + "11" * 32),
        ("storageHash", "0x" + "11" * 32),
        ("storageProof", []),
        ("storageProof", [{}, {}]),
        ("storageProof", "0x"),
        ("storageProof", [{"key": "0x1", "value": "0x1", "proof": []}]),
    ],
)
def test_what_a_node_says_beside_its_proof_must_agree_with_it(name: str, value: object) -> None:
    """Nothing of an answer is left unread."""
    gate = gate_behind(releasing_chain(), method_only("eth_getProof", lambda proof: proof | {name: value}))
    assert not gate.try_to_open()
    assert gate.reason is Reason.NODE_LIED


@pytest.mark.parametrize("value", [None, 1, "", "0x1", [], "abc", "0x", "0x" + "00" * 30_000])
def test_the_code_cannot_be_replaced(value: object) -> None:
    """Its hash is the account's."""
    gate = gate_behind(releasing_chain(), method_only("eth_getCode", lambda _: value))
    assert not gate.try_to_open()
    gate = gate_behind(releasing_chain(), method_only("eth_getCode", flip_hex))
    assert not gate.try_to_open()
    assert gate.flaw is Flaw.CODE_DIFFERS


@pytest.mark.parametrize(
    "shuffle",
    [
        lambda results: results[::-1],
        lambda results: results[:-1],
        lambda results: [*results, results[-1]],
        lambda _: [],
        lambda results: results[1:] + results[:1],
        lambda results: [results[-1] for _ in results],
        lambda results: [None for _ in results],
        lambda results: [RpcError(-32000, "missing trie node 12ab (path )") for _ in results],
    ],
)
def test_answers_in_another_order_or_number_are_refused(shuffle: Any) -> None:
    """Exactly one for each request, in their order."""
    chain = releasing_chain()
    gate = gate_behind(chain, honest(Node(chain)).rewrite)
    node = Node(chain)
    gate.verifier.prover.call = lambda batch: shuffle(node(batch)) if len(batch) > 1 else node(batch)
    assert not gate.try_to_open()


def test_a_proof_of_another_block_is_refused() -> None:
    """The state of block 5 does not hang on block 9's root."""
    chain = Chain(sealing.keyring(3), start=sealing.world(sealing.RELEASING))
    chain.seal(8)
    chain.seal(4, state=sealing.world(sealing.SOLD))
    old = chain.worlds[5]

    def rewrite(method: str, params: list[Any], result: Any) -> Any:
        return old.proof(bytes.fromhex(params[0][2:]), params[1][0]) if method == "eth_getProof" else result

    gate = gate_behind(chain, rewrite)
    assert not gate.try_to_open()
    assert gate.flaw is Flaw.ACCOUNT_UNPROVEN


def test_the_proof_of_another_sale_is_refused() -> None:
    """Even of one that this very device is releasing."""
    other = sealing.TERMS.__class__(**{**_fields(sealing.TERMS), "number": "other"})
    address = sealing.sale_address(sealing.FACTORY, sealing.IMPLEMENTATION, other)
    state = sealing.world(sealing.SOLD)
    accounts = state.accounts | {
        bytes.fromhex(address[2:]): sealing.Contract(
            sealing.clone_code(sealing.IMPLEMENTATION, other), {0: sealing.encode_slot(sealing.RELEASING)}
        )
    }
    chain = Chain(sealing.keyring(3), start=sealing.World(accounts))
    chain.seal(HEAD)
    honest_node = Node(chain)

    def rewrite(method: str, params: list[Any], result: Any) -> Any:
        if method in ("eth_getProof", "eth_getCode"):
            return honest_node.answer(method, [address.lower(), *params[1:]])
        return result

    gate = gate_behind(chain, rewrite)
    assert not gate.try_to_open()
    assert gate.flaw is Flaw.OTHER_SALE
    renamed = gate_behind(
        chain,
        lambda m, p, r: (
            rewrite(m, p, r) | {"address": sealing.SALE.lower()} if m == "eth_getProof" else rewrite(m, p, r)
        ),
    )
    assert not renamed.try_to_open()
    assert renamed.flaw is Flaw.ACCOUNT_UNPROVEN


def test_a_contract_that_looks_like_a_sale_but_is_of_another_factory_is_not_ours() -> None:
    """Its address does not come from a known factory and these terms."""
    place = "0x" + "77" * 20
    chain = Chain(sealing.keyring(3), start=sealing.world(sealing.RELEASING, sale=place))
    chain.seal(HEAD)
    gate = gate_behind(chain, honest(Node(chain)).rewrite)
    assert not gate.try_to_open(sale=place)
    assert (gate.flaw, gate.reason) == (Flaw.NOT_OUR_SALE, Reason.NOT_OUR_SALE)


@pytest.mark.parametrize(
    "code",
    [
        b"",
        b"\x60\x00",
        sealing.CODE[:-1],
        sealing.CODE + b"x",
        sealing.clone_code(sealing.FACTORY, sealing.TERMS),
        sealing.CODE[:40],
    ],
)
def test_an_account_with_other_code_is_not_ours(code: bytes) -> None:
    """Absent, plain, shortened, lengthened, of another implementation."""
    chain = Chain(sealing.keyring(3), start=sealing.world(sealing.RELEASING, code=code))
    chain.seal(HEAD)
    gate = gate_behind(chain, honest(Node(chain)).rewrite)
    assert not gate.try_to_open()
    assert gate.flaw is Flaw.NOT_OUR_SALE


def test_an_address_with_nothing_on_it_is_not_ours() -> None:
    """Absence is proven too."""
    place = "0x" + "78" * 20
    gate = gate_behind(releasing_chain(), honest(Node(releasing_chain())).rewrite)
    assert not gate.try_to_open(sale=place)
    assert (gate.flaw, gate.reason) == (Flaw.NO_CONTRACT, Reason.NOT_OUR_SALE)


def test_another_devices_release_opens_nothing_here() -> None:
    """Proven, but by door 8."""
    state = SaleState(Status.RELEASING, sealing.BUYER, 0, 0, 8)
    chain = Chain(sealing.keyring(3), start=sealing.world(state))
    chain.seal(HEAD)
    gate = gate_behind(chain, honest(Node(chain)).rewrite)
    assert not gate.try_to_open()
    assert gate.reason is Reason.OTHER_DEVICE


def test_eth_call_saying_the_contrary_decides_nothing_and_is_reported() -> None:
    """Either way round."""
    alarms: list[Any] = []
    chain = Chain(sealing.keyring(3), start=sealing.world(sealing.SOLD))
    chain.seal(HEAD)
    prover = prover_of(Node(chain), report=alarms.append)
    gate = Gate(ProofVerifier(prover, site=1))
    assert not gate.try_to_open()
    prover.call = Liar(Node(chain), method_only("eth_call", lambda _: to_hex(bytes(32))))
    found, _ = prover.prove(sealing.SALE, 1, sealing.BUYER)
    assert found.state == sealing.SOLD
    assert [alarm.evidence["proof"] for alarm in alarms] == [True, True]
    assert "the node says false, the proof true" in alarms[0].message


def test_a_node_that_calls_a_foreign_contract_ours_is_reported() -> None:
    """The proof says no, `isSale` yes."""
    alarms: list[Any] = []
    prover = prover_of(Node(releasing_chain()), report=alarms.append)
    verdict = ProofVerifier(prover).verify_releasing("0x" + "78" * 20, 0, 7, 1)  # type: ignore[arg-type]
    assert verdict.reason is Reason.NOT_OUR_SALE
    assert len(alarms) == 1


def _fields(terms: Any) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in terms.__slots__}
