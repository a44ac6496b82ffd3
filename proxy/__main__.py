"""The command lading-gateway."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from proxy import certificate, commands
from proxy.errors import GatewayError
from proxy.service import serve
from proxy.settings import Settings, load_settings

Command = Callable[[Settings, argparse.Namespace], Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; 0 done, 1 refused with a reason on stderr, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    os.umask(0o077)  # folders 0700, files 0600, also those that nginx makes
    try:
        answer = options.run(load_settings(), options)
    except GatewayError as error:
        print(f"lading-gateway: {error}", file=sys.stderr)
        return 1
    except OSError as fault:  # a full disk, a folder that is not ours
        print(f"lading-gateway: {fault.filename or 'the system'}: {fault.strerror or fault}", file=sys.stderr)
        return 1
    if answer is not None:
        print(json.dumps(answer, indent=2) if options.json or not isinstance(answer, str) else answer)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lading-gateway", description="The Nginx gateway before the chain's nodes.")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    commands_ = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands_, "up", "serve in the foreground until SIGINT or SIGTERM", lambda settings, _: serve(settings))
    _add(commands_, "down", "stop the gateway of this run folder", lambda settings, _: commands.stop(settings))
    _add(commands_, "check", "examine settings, certificates and ports; touch nothing", _check)
    _add(commands_, "reload", "take changed settings and certificates into force", _admin("POST", "/reload"))
    _add(commands_, "status", "where it listens and what it serves", lambda settings, _: commands.status(settings))
    _certificate(commands_)
    render = _add(commands_, "render", "write the configuration for a company's own nginx to include", _render)
    render.add_argument("folder", type=Path, metavar="FOLDER", help="where to write; absolute, or relative to here")
    _admissions(commands_)
    return parser


def _certificate(parent: Any) -> None:
    command = _add(parent, "certificate", "get, or renew, this gateway's certificate from the IoT cloud", _certify)
    command.add_argument(
        "--host", action="append", default=[], metavar="NAME", help="a further name or address; repeatable"
    )
    command.add_argument("--request", type=Path, metavar="FILE", help="only write the request, for a cloud elsewhere")


def _admissions(parent: Any) -> None:
    for kind, what in (("device", "a device by its certificate"), ("user", "a device by a secret")):
        group = parent.add_parser(kind, help=f"admit or withdraw {what}").add_subparsers(
            required=True, metavar="ACTION"
        )
        add = _add(group, "add", f"admit {what}", _add_one(kind))
        add.add_argument("name")
        if kind == "device":
            add.add_argument("serial", help="the certificate's serial number in hexadecimal")
        _add(group, "remove", "withdraw the admission", _remove_one(kind)).add_argument("name")
        _add(group, "list", "who is admitted", _admin("GET", f"/{kind}s"))


def _add(parent: Any, name: str, text: str, run: Command) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = parent.add_parser(name, help=text, description=text)
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON")
    parser.set_defaults(run=run)
    return parser


def _admin(method: str, target: str) -> Command:
    return lambda settings, _: commands.call(settings, method, target)


def _add_one(kind: str) -> Command:
    def run(settings: Settings, options: argparse.Namespace) -> Any:
        facts = {key: getattr(options, key) for key in ("name", "serial") if hasattr(options, key)}
        return commands.call(settings, "POST", f"/{kind}s", facts)

    return run


def _remove_one(kind: str) -> Command:
    return lambda settings, options: commands.call(settings, "DELETE", f"/{kind}s/{options.name}")


def _check(settings: Settings, _: argparse.Namespace) -> Any:
    warnings = commands.check(settings)
    for warning in warnings:
        print(f"lading-gateway: warning: {warning}", file=sys.stderr)
    return {"ok": True, "warnings": warnings}


def _certify(settings: Settings, options: argparse.Namespace) -> Any:
    if options.request:
        return certificate.write_request(settings, options.request)
    return certificate.issue(settings, options.host)


def _render(settings: Settings, options: argparse.Namespace) -> Any:
    folder = options.folder.resolve()
    commands.write_configuration(settings, folder)
    return f'include "{folder}/gateway.conf";'


if __name__ == "__main__":
    sys.exit(main())
