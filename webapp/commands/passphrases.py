"""Where a command takes a passphrase from: a file, or the terminal; never the command line."""

import argparse
import getpass
import sys
from pathlib import Path

from webapp.errors import SettingsError


def add_option(command: argparse.ArgumentParser) -> None:
    """Add `--passphrase-file`."""
    command.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="its first line is the passphrase; asked for otherwise"
    )


def passphrase_of(chosen: argparse.Namespace, *, twice: bool = False) -> str:
    """Return the passphrase.

    Raises:
        SettingsError: there is neither a file nor a terminal, or the two entries differ.
    """
    if chosen.passphrase_file is not None:
        lines = Path(chosen.passphrase_file).read_text().splitlines()
        return lines[0] if lines else ""
    if not sys.stdin.isatty():
        raise SettingsError("There is no terminal to ask for the passphrase: give --passphrase-file.")
    entered = getpass.getpass("Passphrase: ")
    if twice and getpass.getpass("Again: ") != entered:
        raise SettingsError("The two passphrases differ. Nothing was made.")
    return entered
