"""`lading-web device provision|rotate|revoke`: one journal of steps over cloud, gateway and chain."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webapp.commands.passphrases import add_option, passphrase_of
from webapp.errors import SettingsError
from webapp.people import find_by_name
from webapp.secret_files import write_secret
from webapp.settings import Settings

if TYPE_CHECKING:
    from webapp.provisioning import Provisioning
    from webapp.services import Services


def add(commands: Any) -> None:
    """Add the commands."""
    device = commands.add_parser("device", help="provision, rotate or revoke a device").add_subparsers(required=True)
    for name, words in (("provision", "register a new device"), ("rotate", "renew a device's keys, certificate, term")):
        command = device.add_parser(name, help=f"{words} from its enrolment file")
        command.add_argument("--enrolment", type=Path, required=True, help="what `lading-pi enrol` printed")
        command.add_argument("--out", type=Path, required=True, help="where the bundle for the device goes")
        _account(command)
        command.set_defaults(run=_provision, rotate=name == "rotate")
    revoke = device.add_parser("revoke", help="end a device: refused everywhere, open connections included")
    revoke.add_argument("--thing", required=True)
    _account(revoke)
    revoke.set_defaults(run=_revoke)


def _account(command: argparse.ArgumentParser) -> None:
    command.add_argument("--account", default="operator", help="the operator's account (default: operator)")
    add_option(command)


def _opened(chosen: argparse.Namespace) -> "tuple[Services, Provisioning]":
    from webapp.provisioning import Provisioning
    from webapp.services import Services

    settings = Settings()
    parts = Services.open(settings)
    parts.database.migrate()
    user = find_by_name(parts.database, chosen.account)
    if user is None or user.keystore is None:
        raise SettingsError(f"There is no built-in account named {chosen.account}: give --account.")
    key = parts.unlocker.unlock(user.keystore, passphrase_of(chosen))
    return parts, Provisioning(parts, user, key, say=lambda text: sys.stderr.write(f"{text}\n"))


def _provision(chosen: argparse.Namespace) -> int:
    from webapp.provisioning import read_enrolment

    enrolment = read_enrolment(chosen.enrolment)
    parts, provisioning = _opened(chosen)
    try:
        bundle = provisioning.rotate(enrolment) if chosen.rotate else provisioning.provision(enrolment)
    finally:
        parts.close()
    write_secret(chosen.out, json.dumps(bundle, indent=1).encode())
    sys.stdout.write(f"device {bundle['device_id']} ({bundle['thing']}) is provisioned; bundle: {chosen.out}\n")
    return 0


def _revoke(chosen: argparse.Namespace) -> int:
    parts, provisioning = _opened(chosen)
    try:
        provisioning.revoke(chosen.thing)
    finally:
        parts.close()
    sys.stdout.write(f"{chosen.thing} is revoked on chain, at the gateway and in the cloud\n")
    return 0
