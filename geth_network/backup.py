"""`lading-chain backup` and `restore`: one archive with chain data, accounts, keys and the network's description."""

import os
import tarfile
import tempfile
from pathlib import Path

from geth_network.errors import BundleError, FolderError
from geth_network.folder import Folder
from geth_network.network import load_network

LEFT_OUT = {"lock", "ready.json", "state.json", "logs", "requests", "LOCK", "geth.ipc", "config.toml"}


def back_up(folder: Folder, archive: Path) -> int:
    """Writes the archive of a stopped network, readable by its owner only; returns its size in bytes."""
    load_network(folder.network)
    if archive.exists():
        raise FolderError(f"{archive} exists: choose another name")
    with folder.held():
        draft = archive.with_name(f".{archive.name}.part")
        try:
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
                with tarfile.open(fileobj=file, mode="w:gz", compresslevel=3) as tar:
                    tar.add(folder.path, arcname="chain", filter=without_passing_things)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(archive)
        finally:
            draft.unlink(missing_ok=True)  # of a full disk
    return archive.stat().st_size


def without_passing_things(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Keeps what a network is, drops what only a running one has."""
    return None if Path(member.name).name in LEFT_OUT or not (member.isfile() or member.isdir()) else member


def restore(folder: Folder, archive: Path) -> None:
    """Unpacks an archive into an unused folder; of half an archive nothing stays."""
    if folder.network.exists():
        raise FolderError(f"{folder.path} already holds a chain: move it away first")
    with folder.held(), tempfile.TemporaryDirectory(prefix=".restoring", dir=folder.path.parent) as draft:
        try:
            with tarfile.open(archive, "r:gz") as tar:
                tar.extractall(draft, filter="data")
        except (OSError, tarfile.TarError, EOFError) as damage:
            raise BundleError(f"{archive} is not a whole backup of a chain: {damage}") from damage
        load_network(Path(draft) / "chain" / "network.json")
        for path in sorted(Path(draft).glob("chain/*"), key=lambda path: path.name == "network.json"):
            path.replace(folder.path / path.name)
        folder.path.chmod(0o700)
