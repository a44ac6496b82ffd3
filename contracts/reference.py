"""The contracts' reference for people, from what the sources say of themselves (NatSpec)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from eth_utils.abi import abi_to_signature, function_signature_to_4byte_selector

from contracts.abi import CONTRACTS
from contracts.compile import run_compiler, standard_input

_LIBRARY: Final = "As OpenZeppelin's library has it."
_HEAD: Final = """# Contract reference

Made from the sources' own comments: `python -m contracts reference > docs/reference.md`; `scripts/check` compares.
What it all means together is in [contracts.md](contracts.md).
"""

Entry = dict[str, Any]


def write_reference() -> str:
    """Compiles the sources for their comments and returns the reference as Markdown.

    Raises:
        CompileError: no compiler is there, or it refuses the sources.
    """
    given = standard_input()
    given["settings"]["outputSelection"] = {"*": {"*": ["abi", "devdoc", "userdoc"]}}
    compiled = run_compiler(given)["contracts"]
    parts = [_contract(name, compiled[f"contracts/src/{name}.sol"][name]) for name in CONTRACTS]
    return "\n".join([_HEAD, *parts])


def _contract(name: str, compiled: Entry) -> str:
    docs = (compiled["userdoc"], compiled["devdoc"])
    lines = [f"## {name}", "", _sentence(docs[1].get("title", "")), ""]
    if "notice" in docs[0]:
        lines += [docs[0]["notice"], ""]
    for title, kind, section in (
        ("Functions", "function", "methods"),
        ("Events", "event", "events"),
        ("Errors", "error", "errors"),
    ):
        found = sorted((entry for entry in compiled["abi"] if entry["type"] == kind), key=lambda entry: entry["name"])
        rows = [row for entry in found for row in _row(entry, *(doc.get(section, {}) for doc in docs))]
        if rows:
            lines += [f"### {title} of {name}", "", *rows, ""]
    return "\n".join(lines)


def _row(entry: Entry, notices: Entry, details: Entry) -> Iterator[str]:
    signature = abi_to_signature(entry)  # type: ignore[arg-type]
    told, more = (_first(found.get(signature, {})) for found in (notices, details))
    yield f"- **`{_declaration(entry)}`** {_marks(entry, signature)}".rstrip()
    yield f"  <br>{_quoted(told.get('notice', _LIBRARY))}"
    for parameter, text in more.get("params", {}).items():
        yield f"    - `{parameter}`: {_quoted(text)}"
    if "notice" in told and "return" in more:
        yield f"    - returns {_quoted(more['return'])}"


def _first(found: Any) -> Entry:
    """The compiler tells an error's comments as a list, since sources may declare it twice."""
    entry: Entry = found[0] if isinstance(found, list) else found
    return entry


def _declaration(entry: Entry) -> str:
    given = ", ".join(_parameter(item) for item in entry["inputs"])
    returned = ", ".join(_parameter(item) for item in entry.get("outputs", []))
    return f"{entry['name']}({given})" + (f" → {returned}" if returned else "")


def _parameter(item: Entry) -> str:
    kind = item["internalType"].removeprefix("struct ").removeprefix("enum ").removeprefix("contract ")
    return " ".join(word for word in (kind, "indexed" if item.get("indexed") else "", item["name"]) if word)


def _marks(entry: Entry, signature: str) -> str:
    if entry["type"] == "event":
        return ""
    selector = "0x" + function_signature_to_4byte_selector(signature).hex()
    mutability = entry.get("stateMutability", "")
    return " ".join([f"`{selector}`", *([mutability] if mutability in {"view", "payable", "pure"} else [])])


def _quoted(text: str) -> str:
    """NatSpec writes a reference to another function in braces."""
    return re.sub(r"\{(\w+)\}", r"`\1`", text)


def _sentence(text: str) -> str:
    return f"{text}." if text and not text.endswith(".") else text
