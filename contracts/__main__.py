"""`python -m contracts`: compile, check and list the contracts, deploy them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from contracts.commands import add_commands
from contracts.errors import LadingError
from contracts.proof_commands import add_proof_commands


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one sub-command: 0 done, 1 refused or failed with a reason on stderr, 2 wrong usage."""
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except LadingError as error:
        print(f"contracts: {error}", file=sys.stderr)
        return 1
    except OSError as fault:  # a full disk, a folder that is not ours
        print(f"contracts: {fault.filename or 'the system'}: {fault.strerror or fault}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m contracts", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("compile", help="compile contracts/src and write the artifacts")
    command.set_defaults(run=_compile)
    command = commands.add_parser("check-artifacts", help="compile and compare with the artifacts, byte for byte")
    command.set_defaults(run=_check_artifacts)
    command = commands.add_parser("reference", help="print docs/reference.md, made from the sources' comments")
    command.set_defaults(run=_reference)
    command = commands.add_parser("selectors", help="print the selector of every function")
    command.add_argument("contract", nargs="*", help="only of these contracts, for example Sale")
    command.add_argument("--json", action="store_true", help="as one JSON object")
    command.set_defaults(run=_selectors)
    add_commands(commands)
    add_proof_commands(commands)
    return parser


def _compile(_: argparse.Namespace) -> int:
    from contracts.compile import write_artifacts

    for path in write_artifacts():
        print(path.name)
    return 0


def _check_artifacts(_: argparse.Namespace) -> int:
    from contracts.compile import stale_artifacts

    stale = stale_artifacts()
    if stale:
        print(f"contracts: {', '.join(stale)} differ from what the sources compile to;", file=sys.stderr)
        print("run python -m contracts compile and commit contracts/artifacts", file=sys.stderr)
    return 1 if stale else 0


def _reference(_: argparse.Namespace) -> int:
    from contracts.reference import write_reference

    sys.stdout.write(write_reference())
    return 0


def _selectors(arguments: argparse.Namespace) -> int:
    from contracts.abi import CONTRACTS, selectors

    unknown = [name for name in arguments.contract if name not in CONTRACTS]
    if unknown:
        print(f"contracts: no contract {unknown[0]}; there are {', '.join(CONTRACTS)}", file=sys.stderr)
        return 2
    found = selectors(*arguments.contract)
    print(json.dumps(found) if arguments.json else "\n".join(f"{code}  {name}" for name, code in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
