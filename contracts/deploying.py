"""Deploying registry, implementation and factory, each at most once however often it is interrupted."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import rlp  # type: ignore[import-untyped]
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from web3 import Web3

from contracts import chain
from contracts.abi import creation_code, deployed_code
from contracts.calls import Call, send_raw, sign
from contracts.deployment import Deployment, load_deployments, replace_file, save_deployments
from contracts.fault import DeploymentError

CREATION_GAS: Final = 6_000_000
SENDINGS: Final = 5


@dataclass(frozen=True, slots=True)
class _Part:
    """One contract to deploy: its creation code, and the code by which it is known on the chain."""

    name: str
    creation: bytes
    deployed: bytes


def deploy_once(w3: Web3, account: LocalAccount, target: Path) -> Deployment:
    """The deployment of the present artifacts on this chain: the one in the list, or a new one, added to it.

    A corrected implementation becomes a new entry that keeps the registry; interrupted, it goes on where it was.

    Raises:
        DeploymentError: the list speaks of contracts that are not on this chain, or cannot be written.
        NodeError: the node gave no usable answer.
    """
    with _alone(target), chain.asking():
        known = load_deployments(target) if target.exists() else ()
        here = [one for one in known if one.chain_id == w3.eth.chain_id]
        _check_present(w3, here)
        for one in reversed(here):
            if _is_current(w3, one):
                return one
        registry = next((one.registry for one in reversed(here) if _has(w3, one.registry, _registry())), None)
        deployment = _Deployer(w3, account, target).deploy(registry)
        save_deployments(target, (*known, deployment))
        _progress(target).unlink(missing_ok=True)
        return deployment


@dataclass(frozen=True, slots=True)
class _Started:
    """A creation that was signed: where the contract will stand, and the transaction."""

    address: ChecksumAddress
    signed: HexBytes


@dataclass(frozen=True, slots=True)
class _Deployer:
    w3: Web3
    account: LocalAccount
    target: Path

    def deploy(self, registry: ChecksumAddress | None) -> Deployment:
        registry = registry or self._create(_registry(self.account.address))
        implementation = self._create(_implementation(registry))
        factory = self._create(_factory(implementation, registry))
        return Deployment(self.w3.eth.chain_id, factory, implementation, registry)

    def _create(self, part: _Part) -> ChecksumAddress:
        """The signed transaction is written down before it is sent: interrupted, the very same one is sent again."""
        call = Call(None, HexBytes(part.creation), gas=CREATION_GAS)
        started = self._started(part, call) or self._start(part, call)
        for _ in range(SENDINGS):  # its block may be undone by another one
            if _has(self.w3, started.address, part):
                return started.address
            send_raw(self.w3, self.account.address, call, started.signed)
        if not _has(self.w3, started.address, part):
            raise DeploymentError(f"{part.name} at {started.address} has not the code of the artifacts")
        return started.address

    def _start(self, part: _Part, call: Call) -> _Started:
        nonce = self.w3.eth.get_transaction_count(self.account.address, "pending")
        signed = HexBytes(sign(self.w3, self.account, call, nonce).raw_transaction)
        notes = self._notes() | {self._key(part): {"nonce": nonce, "signed": signed.to_0x_hex()}}
        replace_file(_progress(self.target), json.dumps(notes))
        return _Started(contract_address(self.account.address, nonce), signed)

    def _started(self, part: _Part, call: Call) -> _Started | None:
        """What an earlier run began and can still end: it is mined as noted, or its nonce is free yet."""
        try:
            note = self._notes()[self._key(part)]
            nonce, signed = int(note["nonce"]), HexBytes(note["signed"])
        except (KeyError, TypeError, ValueError):
            return None  # a damaged note costs one contract that nobody uses
        address = contract_address(self.account.address, nonce)
        free = nonce >= self.w3.eth.get_transaction_count(self.account.address, "latest")
        usable = _has(self.w3, address, part) or (free and bytes(call.data) in bytes(signed))
        return _Started(address, signed) if usable else None

    def _key(self, part: _Part) -> str:
        return f"{self.w3.eth.chain_id} {self.account.address} {part.name}"

    def _notes(self) -> dict[str, Any]:
        path = _progress(self.target)
        try:
            found = json.loads(path.read_text("utf-8")) if path.exists() else {}
        except (ValueError, RecursionError):
            found = {}
        return found if isinstance(found, dict) else {}


def contract_address(sender: str, nonce: int) -> ChecksumAddress:
    """Where a contract stands that this account creates at this nonce."""
    encoded: bytes = rlp.encode([bytes.fromhex(sender[2:]), nonce])
    return to_checksum_address(keccak(encoded)[12:])


def _registry(admin: str = "0x" + "00" * 20) -> _Part:
    return _Part("DeviceRegistry", creation_code("DeviceRegistry", admin), deployed_code("DeviceRegistry"))


def _implementation(registry: str) -> _Part:
    return _Part("Sale", creation_code("Sale", registry), deployed_code("Sale", {"REGISTRY": registry}))


def _factory(implementation: str, registry: str) -> _Part:
    immutables = {"IMPLEMENTATION": implementation, "REGISTRY": registry}
    return _Part("SaleFactory", creation_code("SaleFactory", implementation), deployed_code("SaleFactory", immutables))


def _is_current(w3: Web3, one: Deployment) -> bool:
    parts = (
        (one.registry, _registry()),
        (one.implementation, _implementation(one.registry)),
        (one.factory, _factory(one.implementation, one.registry)),
    )
    return all(_has(w3, address, part) for address, part in parts)


def _has(w3: Web3, address: str, part: _Part) -> bool:
    return chain.code_at(w3, address) == part.deployed


def _check_present(w3: Web3, here: list[Deployment]) -> None:
    for one in here:
        if not chain.code_at(w3, one.factory):
            raise DeploymentError(
                f"the list names the factory {one.factory}, which is not on chain {one.chain_id}: "
                "it is of an earlier chain with the same id; move the list away"
            )


def _progress(target: Path) -> Path:
    return target.with_name(target.name + ".started")


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Two deployments into one list wait for each other, so that the second finds the first."""
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = target.with_name(target.name + ".lock").open("w")
    except OSError as error:
        raise DeploymentError(f"{target} cannot be written: {error}") from error
    with opened as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
