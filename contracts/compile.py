"""Compiles `contracts/src` with the pinned compiler into the committed artifacts.

Needed by who changes the Solidity sources; the package itself reads the artifacts and needs no compiler.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Final

from eth_utils.crypto import keccak

from contracts.abi import ARTIFACTS, CONTRACTS, INPUT
from contracts.errors import LadingError

SOLC_VERSION: Final = "0.8.30"
"""The last word on it is `package-lock.json`."""

EVM_VERSION: Final = "london"
"""Clique in geth refuses Shanghai, and the compiler's own default produces code that fails there."""

_ROOT: Final = Path(__file__).resolve().parent.parent
_SOURCES: Final = "contracts/src"
_IMPORT: Final = re.compile(r'^import [^;]*?"([^"]+)";', re.MULTILINE)
_OUTPUT: Final = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object",
                  "evm.deployedBytecode.immutableReferences", "metadata", "storageLayout"]  # fmt: skip


class CompileError(LadingError):
    """The sources cannot be compiled here; the message says why."""

    reason = "compile"


def standard_input() -> dict[str, Any]:
    """The compiler's standard-JSON input: our sources, what they import, and the settings."""
    sources: dict[str, str] = {}
    waiting = [f"{_SOURCES}/{name}.sol" for name in CONTRACTS]
    while waiting:
        name = waiting.pop()
        if name not in sources:
            sources[name] = _locate(name).read_text(encoding="utf-8")
            waiting.extend(_resolve(name, imported) for imported in _IMPORT.findall(sources[name]))
    return {
        "language": "Solidity",
        "sources": {name: {"content": sources[name]} for name in sorted(sources)},
        "settings": {
            "evmVersion": EVM_VERSION,
            "viaIR": True,
            "optimizer": {"enabled": True, "runs": 1_000_000},
            # Without the hash of the sources a changed comment leaves the code as it is.
            "metadata": {"bytecodeHash": "none"},
            "outputSelection": {"*": {"*": _OUTPUT, "": ["ast"]}},
        },
    }


def compile_contracts(given: dict[str, Any]) -> dict[str, str]:
    """Compiles a standard-JSON input and returns every artifact's text by its file's name.

    Raises:
        CompileError: no compiler is there, or it refuses the sources.
    """
    output = run_compiler(given)
    texts = {INPUT: _text(_recorded(given))}
    for name in CONTRACTS:
        source = f"{_SOURCES}/{name}.sol"
        names = _immutable_names(output["sources"][source]["ast"])
        texts[f"{name}.json"] = _text(_artifact(name, output["contracts"][source][name], names))
    return texts


def write_artifacts() -> list[Path]:
    """Compiles the sources and writes the artifacts; returns the files written."""
    ARTIFACTS.mkdir(exist_ok=True)
    written = []
    for name, text in compile_contracts(standard_input()).items():
        path = ARTIFACTS / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def stale_artifacts() -> list[str]:
    """Compiles the sources and names the artifacts that differ from what is committed by any byte."""
    fresh = compile_contracts(standard_input())
    committed = {path.name: path.read_text(encoding="utf-8") for path in ARTIFACTS.glob("*.json")}
    return sorted(name for name in fresh.keys() | committed.keys() if fresh.get(name) != committed.get(name))


def run_compiler(given: dict[str, Any]) -> dict[str, Any]:
    """The compiler's answer to a standard-JSON input.

    Raises:
        CompileError: no compiler is there, or it refuses the sources.
    """
    folder = Path(os.environ.setdefault("SOLCX_BINARY_PATH", str(_ROOT / ".cache" / "solc")))
    if not (folder / f"solc-v{SOLC_VERSION}").exists():
        raise CompileError(f"there is no solc-v{SOLC_VERSION} in {folder}; scripts/setup puts it there")
    import solcx  # looks for compilers already when it is imported
    from solcx.exceptions import SolcError

    try:
        output: dict[str, Any] = solcx.compile_standard(given, solc_version=SOLC_VERSION)
    except SolcError as error:
        raise CompileError(f"the compiler refuses the sources: {error}") from error
    return output


def _recorded(given: dict[str, Any]) -> dict[str, Any]:
    """The input as it is committed: libraries are named by hash and place, since they are not ours to copy."""
    sources = {
        name: source
        if name.startswith(_SOURCES)
        else {"keccak256": "0x" + keccak(text=source["content"]).hex(), "urls": [f"node_modules/{name}"]}
        for name, source in given["sources"].items()
    }
    return {**given, "sources": sources}


def _artifact(name: str, compiled: dict[str, Any], immutables: dict[str, str]) -> dict[str, Any]:
    deployed = compiled["evm"]["deployedBytecode"]
    references = deployed.get("immutableReferences", {})
    return {
        "contract": name,
        "compiler": json.loads(compiled["metadata"])["compiler"]["version"],
        "abi": compiled["abi"],
        "bytecode": "0x" + compiled["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutableReferences": {immutables[key]: places for key, places in references.items()},
        "storageLayout": compiled["storageLayout"],
    }


def _immutable_names(ast: dict[str, Any]) -> dict[str, str]:
    """The compiler names immutables by numbers that shift with every edit; the source's names stay."""
    contracts = (node for node in ast["nodes"] if node["nodeType"] == "ContractDefinition")
    return {str(node["id"]): node["name"] for contract in contracts for node in contract["nodes"] if "name" in node}


def _locate(name: str) -> Path:
    return _ROOT / name if name.startswith(_SOURCES) else _ROOT / "node_modules" / name


def _resolve(importer: str, imported: str) -> str:
    """The source unit's name of an import, as the compiler itself makes it."""
    if not imported.startswith("."):
        return imported
    return os.path.normpath(os.path.join(os.path.dirname(importer), imported))  # noqa: PTH118, PTH120 (names, no files)


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
