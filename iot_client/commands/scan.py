"""`lading-pi scan PICTURE`: what this door would say, and with `--release` what it does."""

import argparse
import json

from contracts.errors import VoucherError
from contracts.voucher import decode_voucher
from iot_client.__main__ import settings_of
from iot_client.log import set_up_log
from iot_client.reasons import Refusal, line_for
from iot_client.scanner.folder import scan_file
from iot_client.settings import PiSettings


def run(arguments: argparse.Namespace) -> int:
    """Read one picture and say."""
    settings = settings_of(arguments)
    set_up_log(settings.folder / "log.jsonl")
    if arguments.release:
        from iot_client.once import release_once

        return 0 if release_once(settings, arguments.picture) else 1
    outcome, says = _examine(settings, arguments)
    print(json.dumps({"outcome": outcome, "says": says}) if arguments.json else says)
    return 0 if outcome == "owned" else 1


def _examine(settings: PiSettings, arguments: argparse.Namespace) -> tuple[str, str]:
    from iot_client.attendant import UNREAD
    from iot_client.chain.belief import make_verifier
    from iot_client.chain.examiner import REFUSALS
    from iot_client.chain.node import reach

    reading = scan_file(arguments.picture).reading
    if reading.text is None or reading.unread is not None:
        refusal = UNREAD[reading.unread] if reading.unread else Refusal.NO_CODE
        return refusal, line_for(refusal)
    try:
        voucher = decode_voucher(reading.text, settings.chain_id)
    except VoucherError as error:
        return error.reason, str(error)
    verdict = make_verifier(settings, reach(settings), None).verify_owned(voucher, settings.depth_owned)
    if verdict.accepted:
        return "owned", f"Ownership verified: {voucher.sale} (block {verdict.block}, by {verdict.answered_by})."
    refusal = REFUSALS.get(verdict.reason, Refusal.INTERNAL)
    return refusal, line_for(refusal)
