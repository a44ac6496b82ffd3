"""`lading-web account create|list|role` and `lading-web admin create`."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import select

from webapp.commands.passphrases import add_option, passphrase_of
from webapp.database import Database
from webapp.errors import SettingsError
from webapp.models import User
from webapp.people import Role, create_account, find_by_name
from webapp.settings import Settings
from webapp.unlock import Unlocker


def add(commands: Any) -> None:
    """Add the commands."""
    account = commands.add_parser("account", help="make and list accounts").add_subparsers(required=True)
    create = account.add_parser("create", help="make a built-in account: its key is encrypted with the passphrase")
    _names(create)
    create.add_argument("--role", choices=[str(role) for role in Role], default=Role.BUYER)
    create.add_argument("--verified", action="store_true", help="buyers see that an operator knows this seller")
    create.set_defaults(run=_create)
    listing = account.add_parser("list", help="list the accounts")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_list)
    role = account.add_parser("role", help="give an account another role")
    role.add_argument("--name", required=True)
    role.add_argument("--role", choices=[str(role) for role in Role], required=True)
    role.add_argument("--verified", action=argparse.BooleanOptionalAction)
    role.set_defaults(run=_role)
    admin = commands.add_parser("admin", help="make the first administrator").add_subparsers(required=True)
    create = admin.add_parser("create", help="make an account that may do everything")
    _names(create)
    create.set_defaults(run=_create, role=Role.ADMIN, verified=True)


def _names(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", required=True)
    command.add_argument("--key-file", type=Path, help="a private key in hexadecimal to bring along; new otherwise")
    command.add_argument("--json", action="store_true")
    add_option(command)


def opened(settings: Settings) -> Database:
    """Return the database with its tables."""
    database = Database(settings.database_url)
    database.migrate()
    return database


def _create(chosen: argparse.Namespace) -> int:
    settings = Settings()
    passphrase = passphrase_of(chosen, twice=True)
    key = bytes.fromhex(chosen.key_file.read_text().strip().removeprefix("0x")) if chosen.key_file else None
    database, unlocker = opened(settings), Unlocker(settings.scrypt_n, settings.unlock_wait_s)
    try:
        role = Role(chosen.role)
        user = create_account(database, unlocker, name=chosen.name, passphrase=passphrase, role=role, key=key)
        with database.write() as session:
            session.merge(user).verified = chosen.verified
    finally:
        unlocker.close()
        database.close()
    _say([{"name": user.name, "role": user.role, "address": user.address}], chosen.json)
    return 0


def _list(chosen: argparse.Namespace) -> int:
    database = opened(Settings())
    with database.read() as session:
        rows = session.scalars(select(User).order_by(User.id)).all()
    database.close()
    kinds = {True: "wallet", False: "built-in"}
    said = [
        {"name": row.name, "role": row.role, "address": row.address, "key": kinds[row.keystore is None]} for row in rows
    ]
    _say(said, chosen.json, many=True)
    return 0


def _role(chosen: argparse.Namespace) -> int:
    database = opened(Settings())
    user = find_by_name(database, chosen.name)
    if user is None:
        raise SettingsError(f"There is no account named {chosen.name}.")
    with database.write() as session:
        row = session.merge(user)
        row.role = chosen.role
        if chosen.verified is not None:
            row.verified = chosen.verified
    database.close()
    return 0


def _say(rows: list[dict[str, str]], as_json: bool, *, many: bool = False) -> None:
    if as_json:
        sys.stdout.write(json.dumps(rows if many else rows[0]) + "\n")
        return
    if not rows:
        sys.stderr.write("no account yet: lading-web account create, or lading-web admin create\n")
    for row in rows:
        sys.stdout.write("  ".join(row.values()) + "\n")
