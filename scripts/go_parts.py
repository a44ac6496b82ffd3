"""Reads `go version -m -json BINARY` and writes what was linked into it as a CycloneDX document."""

import json
import sys
from typing import Any


def document(binary: dict[str, Any]) -> dict[str, Any]:
    """Return a CycloneDX 1.6 document; a replaced module is named as what really was compiled."""
    modules = [module.get("Replace") or module for module in (binary["Main"], *binary["Deps"])]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": binary["Path"], "version": binary["GoVersion"]}},
        "components": [_component(module["Path"], module["Version"]) for module in modules],
    }


def _component(name: str, version: str) -> dict[str, Any]:
    return {"type": "library", "name": name, "version": version, "purl": f"pkg:golang/{name}@{version}"}


if __name__ == "__main__":
    json.dump(document(json.load(sys.stdin)), sys.stdout, indent=1)
