"""`lading-pi proof`: this door's proof of a sale as a file that travels, and what such a file proves to this door."""

import argparse

from contracts.deployment import load_deployments
from contracts.proof_commands import anchor_of, verify_file, write_out
from contracts.proof_export import export_proof
from contracts.rpc import rpc_of
from contracts.seals import SealRules
from iot_client.__main__ import settings_of
from iot_client.chain.node import reach
from iot_client.errors import ConfigError
from iot_client.settings import PiSettings


def export(arguments: argparse.Namespace) -> int:
    """Ask the chain through the gateway and write a proof."""
    settings = settings_of(arguments)
    text = export_proof(
        rpc_of(reach(settings)),
        arguments.sale,
        load_deployments(settings.path("deployments")),
        SealRules(settings.period_s, settings.epoch),
        block=arguments.block,
        start=arguments.start,
    )
    write_out(text, arguments.out)
    return 0


def _own(arguments: argparse.Namespace) -> PiSettings:
    """This door's settings; a stranger with a proof has none and has to say whom to believe."""
    try:
        return settings_of(arguments)
    except ConfigError as error:
        raise ConfigError(f"name the sealers by --sealers, or the checkpoint by --checkpoint ({error})") from error


def verify(arguments: argparse.Namespace) -> int:
    """Check a proof by what is given, else by the sealers and deployments that this door is configured with."""
    if arguments.checkpoint or arguments.sealers:
        anchor = anchor_of(arguments.checkpoint, arguments.sealers, arguments.deployments)
    else:
        settings = _own(arguments)
        anchor = anchor_of(None, settings.sealers, arguments.deployments or settings.path("deployments"))
    verify_file(arguments.file, anchor, as_json=arguments.json)
    return 0
