"""The command line of `lading-cloud`."""

import argparse
from pathlib import Path
from typing import Any

from iot_cloud import commands


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options; `run` among them is the command's function."""
    parser = argparse.ArgumentParser(prog="lading-cloud", description=DESCRIPTION)
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    _processes(verbs)
    _things(verbs)
    _shadows(verbs)
    return parser.parse_args(arguments)


DESCRIPTION = (
    "The IoT cloud on this machine: certificates, MQTT broker, device shadows, records. "
    "With --aws the same commands speak to AWS IoT Core."
)


def _processes(verbs: Any) -> None:
    _verb(verbs, "up", commands.up, "serve in the foreground until SIGINT or SIGTERM")
    _verb(verbs, "down", commands.down, "stop the cloud that serves this run folder")
    status = _json(_verb(verbs, "status", commands.status, "say what runs, and where"))
    status.add_argument("--aws", action="store_true", help="AWS IoT Core, which needs no up and no down")
    rotate = _verb(verbs, "rotate-ca", commands.rotate_authority, "begin a new authority beside the old one")
    rotate.add_argument("--finish", action="store_true", help="distrust the old ones; the cloud must be down")


def _things(verbs: Any) -> None:
    provision = _aws(_verb(verbs, "provision", commands.provision, "give a thing its certificate and its rights"))
    provision.add_argument("thing")
    source = provision.add_mutually_exclusive_group(required=True)
    source.add_argument("--csr", type=Path, metavar="FILE", help="the device's signing request; its key stays there")
    source.add_argument("--demo-key", action="store_true", help="make the key here: for a demonstration only")
    provision.add_argument("--role", choices=("device", "web"), default="device")
    provision.add_argument(
        "--out", type=Path, default=Path(), metavar="FOLDER", help="where the files go (default: here)"
    )
    provision.add_argument("--renew", action="store_true", help="a further certificate for a thing that has one")
    for verb in (
        _aws(_verb(verbs, "revoke", commands.revoke, "end a thing's certificates, rights and session")),
        _aws(_verb(verbs, "policy", commands.policy, "show what a thing may do")),
    ):
        verb.add_argument("thing")
    _json(_aws(_verb(verbs, "list", commands.list_things, "show the things and their certificates")))
    server = _verb(verbs, "server-certificate", commands.server_certificate, "sign a TLS server's request")
    server.add_argument("name")
    server.add_argument("--csr", type=Path, required=True, metavar="FILE")
    server.add_argument("--host", action="append", required=True, dest="hosts", help="a name or address; repeatable")
    server.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")


def _shadows(verbs: Any) -> None:
    shadow = verbs.add_parser("shadow", help="read and write shadows as the operator").add_subparsers(
        required=True, metavar="ACTION"
    )
    for name, text in (("get", "show a shadow"), ("update", "change a shadow"), ("delete", "delete a shadow")):
        action = _aws(_verb(shadow, name, commands.shadow, text))
        action.set_defaults(action=name)
        action.add_argument("thing")
        action.add_argument("--name", help="a named shadow")
        if name == "update":
            action.add_argument("document", help='for example \'{"state": {"desired": {"light": true}}}\'; - is stdin')
    watch = _aws(_verb(verbs, "watch", commands.watch, "print shadow documents, events and status as they come"))
    watch.add_argument("thing", nargs="?", help="only this one")


def _verb(verbs: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run, aws=False, dry_run=False)
    return parser


def _json(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def _aws(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--aws", action="store_true", help="AWS IoT Core, credentials from the environment")
    parser.add_argument("--dry-run", action="store_true", help="with --aws: print the calls, make none")
    return parser
