"""What another command asks of the running supervisor: a file a node, read at the next tick."""

from geth_network.folder import Folder, write_atomically

RESYNC = "resync"


def ask_resync(folder: Folder, node: str) -> None:
    """Asks for a node's chain to be fetched anew."""
    write_atomically(folder.path / "requests" / node, RESYNC)


def take_requests(folder: Folder) -> list[str]:
    """The nodes to fetch anew; each request is taken once."""
    found = [path for path in (folder.path / "requests").glob("[!.]*") if path.read_text() == RESYNC]
    for path in found:
        path.unlink()
    return sorted(path.name for path in found)
