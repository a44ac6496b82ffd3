"""Breaks the contracts in small ways, one at a time, on a copy, and asks forge's unit tests to notice.

`python -m tests.contracts.mutation [--sample N]` prints every mutant that survives. Those that are explained in
`survivors.json` (they change nothing that anybody could observe) do not count; any other makes it exit 1.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SURVIVORS: Final = Path(__file__).with_name("survivors.json")
SOURCES: Final = (
    "Sale.sol",
    "SaleFactory.sol",
    "DeviceRegistry.sol",
    "types/Domain.sol",
    "types/SaleState.sol",
    "types/Signature.sol",
    "types/Terms.sol",
)

_SWAPS: Final = (
    (" < ", " <= "),
    (" <= ", " < "),
    (" > ", " >= "),
    (" >= ", " > "),
    (" == ", " != "),
    (" != ", " == "),
    (" && ", " || "),
    (" || ", " && "),
    (" + ", " - "),
    ("++", "--"),
    ("!state", "state"),
    ("true", "false"),
    ("false", "true"),
    ("GRACE :", "0 :"),
    ("PAYOUT_GAS)", "gasleft())"),
    ("_payOut(state.buyer()", "_payOut(msg.sender"),
    ("_payOut(Terms.seller(first)", "_payOut(state.buyer()"),
    ("_send(to", "_send(msg.sender"),
    ("_send(Terms.seller(first)", "_send(msg.sender"),
    ("block.chainid", "1"),
    ("address(this)", "address(0)"),
)
_STATEMENT: Final = re.compile(
    r"^\s+(?!return|revert|uint|address|bytes|Packed|Device|bool|import|using|error|if)\w.*;$"
)
_GUARD: Final = re.compile(r"if \((.*)\) revert ")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One line of one file, written otherwise."""

    file: str
    line: int
    old: str
    new: str

    @property
    def name(self) -> str:
        """Independent of the line's number, so that an explanation survives edits elsewhere."""
        return f"{self.file}: {self.old.strip()} -> {self.new.strip() or '(deleted)'}"


def mutants() -> list[Mutant]:
    """Every mutant of every source, in a fixed order."""
    return [mutant for file in SOURCES for mutant in _of_file(file)]


def _of_file(file: str) -> Iterator[Mutant]:
    lines = (ROOT / "contracts/src" / file).read_text(encoding="utf-8").splitlines()
    inside = False
    for number, line in enumerate(lines):
        code = line.split("//")[0].rstrip()
        inside = inside or bool(re.search(r"\bfunction\b|\bconstructor\b|uint256 (private|internal) constant", code))
        if not inside or not code or code.lstrip().startswith(("*", "import", "error", "event")):
            continue
        for new in dict.fromkeys(_of_line(code)):
            yield Mutant(file, number, line, new)


def _of_line(code: str) -> Iterator[str]:
    for old, new in _SWAPS:
        if old in code and "pragma" not in code and "function" not in code:
            yield code.replace(old, new, 1)
    guard = _GUARD.search(code)
    if guard:
        yield code.replace(guard[1], "false", 1)
    if _STATEMENT.match(code) and " constant " not in code:
        yield ""


class Copy:
    """A copy of sources and tests in which one line at a time is broken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in ("contracts/src", "tests/contracts/solidity"):
            shutil.copytree(ROOT / part, folder / part)
        shutil.copy(ROOT / "foundry.toml", folder)
        (folder / ".cache").mkdir()
        (folder / ".cache/solc").symlink_to(ROOT / ".cache/solc")
        (folder / "node_modules").symlink_to(ROOT / "node_modules")

    def outcome(self, mutant: Mutant | None) -> str:
        """`killed`, `survived`, or `invalid` when it does not compile."""
        if mutant is None:
            return self._test()
        path = self.folder / "contracts/src" / mutant.file
        sound = path.read_text(encoding="utf-8")
        lines = sound.splitlines()
        lines[mutant.line] = mutant.new
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        try:
            return self._test()
        finally:
            path.write_text(sound, encoding="utf-8")

    def _test(self) -> str:
        tools = f"{ROOT / '.venv/bin'}:{ROOT / 'node_modules/.bin'}:{os.environ['PATH']}"
        command = ["forge", "test", "--no-match-contract", "GasTest|InvariantsTest", "--fuzz-runs", "16", "--fail-fast"]
        environment = {**os.environ, "PATH": tools, "FOUNDRY_PROFILE": "plain"}
        # A mutant that loops for ever is dead as well.
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
            )
        except subprocess.TimeoutExpired:
            return "killed"
        if done.returncode == 0:
            return "survived"
        return "invalid" if "Compiler run failed" in done.stdout + done.stderr else "killed"


def main(argv: Sequence[str] | None = None) -> int:
    """Break, test, tell: 0 when every survivor is explained."""
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.mutation", description=__doc__)
    parser.add_argument("--sample", type=int, metavar="N", help="only N of them, always the same")
    parser.add_argument("--list", action="store_true", help="print the mutants and end")
    arguments = parser.parse_args(argv)
    chosen = mutants()
    if arguments.sample and arguments.sample < len(chosen):
        chosen = random.Random(0x1AD1).sample(chosen, arguments.sample)
    if arguments.list:
        print("\n".join(mutant.name for mutant in chosen))
        return 0
    with tempfile.TemporaryDirectory(prefix="lading-mutation-") as folder:
        return _tell(Copy(Path(folder)), chosen)


def _tell(copy: Copy, chosen: Sequence[Mutant]) -> int:
    explained: dict[str, str] = json.loads(SURVIVORS.read_text(encoding="utf-8"))
    if copy.outcome(None) != "survived":
        print("mutation: the tests fail on the unbroken contracts; mend that first", file=sys.stderr)
        return 1
    counts = {"killed": 0, "survived": 0, "invalid": 0}
    unexplained = 0
    for mutant in chosen:
        outcome = copy.outcome(mutant)
        counts[outcome] += 1
        if outcome == "survived":
            reason = explained.get(mutant.name)
            unexplained += reason is None
            print(f"survived: {mutant.name}\n          {reason or 'NOT EXPLAINED'}", flush=True)
    valid = counts["killed"] + counts["survived"]
    print(f"{len(chosen)} mutants, {counts['invalid']} do not compile, {counts['killed']} of {valid} killed, ", end="")
    print(f"{counts['survived']} survived, {unexplained} unexplained")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
