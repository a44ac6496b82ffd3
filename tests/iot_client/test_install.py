"""What a Pi needs is what the package says it needs: a clean `pip install .` brings every import."""

import ast
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
OWN = {"contracts", "iot_client"}
ON_A_PI = {"evdev"}  # the extra `pi`


def declared(name: str, extras: frozenset[str] = frozenset(), seen: set[str] | None = None) -> set[str]:
    """Every distribution that this one brings with it."""
    seen = set() if seen is None else seen
    for text in distribution(name).requires or []:
        need = Requirement(text)
        wanted = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras | {""})
        key = canonicalize_name(need.name)
        if wanted and key not in seen:
            seen.add(key)
            declared(need.name, frozenset(need.extras), seen)
    return seen


def imported(package: str) -> set[str]:
    """The foreign modules that a package's files import, anywhere in them."""
    names: set[str] = set()
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - OWN


@pytest.mark.parametrize("package", sorted(OWN))
def test_every_import_is_declared(package: str) -> None:
    """A development tool that happens to bring a module hides that a clean installation lacks it."""
    brought, makers = set[str](), packages_distributions()
    for line in (ROOT / "requirements" / "main.in").read_text().splitlines():
        if line and not line.startswith("#"):
            brought |= {canonicalize_name(Requirement(line).name)} | declared(Requirement(line).name)
    missing = {
        name for name in imported(package) - ON_A_PI if not {canonicalize_name(one) for one in makers[name]} & brought
    }
    assert not missing
