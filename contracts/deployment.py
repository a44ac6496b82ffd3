"""Which contracts are ours: the list of deployments."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.address import is_address, to_checksum_address
from web3 import Web3

from contracts.fault import DeploymentError

KIND_SALE: Final = "sale"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A factory, the implementation that its sales are clones of, and the registry that it asks."""

    chain_id: int
    factory: ChecksumAddress
    implementation: ChecksumAddress
    registry: ChecksumAddress
    kind: str = KIND_SALE


def deploy(w3: Web3, account: LocalAccount, path: str | os.PathLike[str]) -> Deployment:
    """The deployment of the present artifacts on this chain: the one in the list, or a new one, added to it.

    Raises:
        DeploymentError: the list speaks of contracts that are not on this chain.
        NodeError: the node gave no usable answer.
    """
    from contracts.deploying import deploy_once

    return deploy_once(w3, account, Path(path))


def load_deployments(path: str | os.PathLike[str]) -> tuple[Deployment, ...]:
    """The deployments of every chain, oldest first; the last one of a chain is where new sales are listed.

    Raises:
        DeploymentError: there is no such file, or it holds something else.
    """
    try:
        data = json.loads(Path(path).read_text("utf-8"))
    except FileNotFoundError as error:
        raise DeploymentError(f"{path} does not exist: run `python -m contracts deploy` first") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DeploymentError(f"{path} cannot be read: {error}") from error
    return parse_deployments(data)


def parse_deployments(data: Any) -> tuple[Deployment, ...]:
    """The deployments in parsed JSON: a list of objects with the fields of `Deployment`.

    Raises:
        DeploymentError: it is something else.
    """
    if not isinstance(data, list):
        raise DeploymentError("the list of deployments is a JSON array")
    return tuple(_deployment(row) for row in data)


def save_deployments(path: str | os.PathLike[str], deployments: Iterable[Deployment]) -> None:
    """Write the list; whoever reads it meanwhile sees the old one or the new one, never half of it."""
    replace_file(Path(path), json.dumps([asdict(one) for one in deployments], indent=2) + "\n")


def replace_file(target: Path, text: str) -> None:
    """Write a file so that it is there as a whole or not at all, also after a power cut.

    Raises:
        DeploymentError: the disk is full, or the folder is somebody else's.
    """
    try:
        _replace(target, text)
    except OSError as fault:
        raise DeploymentError(f"{target} cannot be written: {fault.strerror}") from fault


def _replace(target: Path, text: str) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False, encoding="utf-8") as file:
        draft = Path(file.name)
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)


def _deployment(row: Any) -> Deployment:
    names = [field.name for field in fields(Deployment)]
    if not isinstance(row, Mapping) or set(row) != set(names):
        raise DeploymentError(f"a deployment has {', '.join(names)}")
    chain_id, *addresses, kind = (row[name] for name in names)
    if not isinstance(chain_id, int) or isinstance(chain_id, bool) or chain_id < 1:
        raise DeploymentError(f"{chain_id!r} is no chain id")
    if not all(isinstance(address, str) and is_address(address) for address in addresses):
        raise DeploymentError(f"a deployment of chain {chain_id} holds something that is no address")
    if not isinstance(kind, str) or not kind:
        raise DeploymentError(f"a deployment of chain {chain_id} does not say its kind")
    factory, implementation, registry = map(to_checksum_address, addresses)
    return Deployment(chain_id, factory, implementation, registry, kind)
