"""`lading-pi`: the warehouse Pi. Exit status: 0 done, 1 refused or failed with a reason on stderr, 2 wrong usage."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from contracts.errors import LadingError
from iot_client.errors import PiError
from iot_client.settings import PiSettings, find_config, load_settings

KINDS = {"opened": "it did open", "not-opened": "it did not open"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command."""
    arguments = parser().parse_args(argv)
    os.umask(0o077)  # folders 0700, files 0600, their parents too
    try:
        return int(arguments.command(arguments))
    except (PiError, LadingError) as error:
        print(f"lading-pi: {error}", file=sys.stderr)
        return 1
    except OSError as fault:  # a full disk, a folder that is not ours
        print(f"lading-pi: {fault.filename or 'the system'}: {fault.strerror or fault}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(prog="lading-pi", description="The warehouse Pi: reads a barcode, opens the gate.")
    top.add_argument("--config", type=Path, help="config.toml (default: LADING_CONFIG, or the only enrolled thing)")
    top.add_argument("--thing", help="which enrolled thing, if there are several")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _enrolment(commands)
    _serving(commands)
    _looking(commands)
    _operating(commands)
    _proving(commands)
    return top


def settings_of(arguments: argparse.Namespace) -> PiSettings:
    """The configuration that the command line names."""
    return load_settings(arguments.config or find_config(arguments.thing))


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, about: str
) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=about, description=about)


def _enrolment(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from iot_client.commands import enrol

    add = _add(commands, "enrol", "make this device's keys and consent, or take the operator's bundle")
    add.add_argument("--bundle", type=Path, help="the bundle that the operator sent back")
    add.add_argument("--thing", dest="name", help="this device's name in the IoT cloud")
    add.add_argument("--site", type=int, help="the site where it stands")
    add.add_argument("--operator", help="address of the site's operator")
    add.add_argument("--chain-id", type=int)
    add.add_argument("--registry", help="address of the DeviceRegistry")
    add.add_argument("--device-id", type=int, default=0, help="the id that is rotated; 0 for a new device")
    add.add_argument("--until", type=int, help="end of the registration, Unix seconds (default: a year from now)")
    add.set_defaults(command=enrol.run)


def _serving(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from iot_client.commands import scan, serve

    run = _add(commands, "run", "serve the gate in the foreground")
    run.add_argument("--verbose", action="store_true", help="the log on stderr as well")
    run.set_defaults(command=serve.run)
    one = _add(commands, "scan", "read one picture, ask the chain, and say what the door would do")
    one.add_argument("picture", type=Path)
    one.add_argument("--release", action="store_true", help="release and open, if it is good")
    one.add_argument("--json", action="store_true")
    one.set_defaults(command=scan.run)


def _looking(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from iot_client.commands import check, journal, status

    add = _add(commands, "check", "say whether all is well: files, keys, chain, clock, balance, cloud, gate")
    add.add_argument("--json", action="store_true")
    add.set_defaults(command=check.run)
    add = _add(commands, "status", "say what the running Pi is doing")
    add.add_argument("--json", action="store_true")
    add.set_defaults(command=status.run)
    add = _add(commands, "journal", "every scan and its outcome, every release and its steps")
    add.add_argument("--sale", help="the steps of this sale's releases")
    add.add_argument("--last", type=int, default=50, help="how many scans")
    add.add_argument("--json", action="store_true")
    add.set_defaults(command=journal.run)


def _operating(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from iot_client.commands import operate

    resolve = _add(commands, "resolve", "settle a case: did the gate open?")
    resolve.add_argument("sale")
    resolve.add_argument("outcome", choices=sorted(KINDS))
    resolve.add_argument("--attempt", type=int, default=None, help="default: the sale's newest attempt here")
    resolve.add_argument("--reason", required=True)
    resolve.set_defaults(command=operate.resolve)
    open_ = _add(commands, "open", "open the gate by hand, in an emergency or for a release that came too late")
    open_.add_argument("--sale", default="", help="a release of this door; without it the gate opens for no sale")
    open_.add_argument("--attempt", type=int, default=0)
    open_.add_argument("--reason", required=True)
    open_.set_defaults(command=operate.open_gate)
    simulate = _add(commands, "simulate", "make the simulated gate misbehave, or work again")
    simulate.add_argument("mode", choices=("ok", "jam", "stick", "late", "blind"))
    simulate.set_defaults(command=operate.simulate)


def _proving(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from iot_client.commands import proof

    parts = _add(commands, "proof", "proofs of a sale's state that travel as a file").add_subparsers(
        metavar="export|verify", required=True
    )
    export = _add(parts, "export", "ask the chain through the gateway and write a proof")
    export.add_argument("sale", help="its address")
    export.add_argument("--block", type=int, help="whose state; default: the newest that is deep enough")
    export.add_argument("--start", type=int, metavar="NUMBER", help="the epoch block known to whoever checks it")
    export.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    export.set_defaults(command=proof.export)
    verify = _add(parts, "verify", "check a proof; needs neither node nor network")
    verify.add_argument("file", type=Path)
    verify.add_argument("--checkpoint", metavar="HASH", help="of the epoch block at which the proof starts")
    verify.add_argument("--sealers", nargs="+", metavar="ADDRESS", help="whom that block lists; default: this door's")
    verify.add_argument("--deployments", type=Path, metavar="FILE", help="whose sales count")
    verify.add_argument("--json", action="store_true")
    verify.set_defaults(command=proof.verify)


if __name__ == "__main__":
    sys.exit(main())
