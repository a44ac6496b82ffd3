"""`lading-pi check`: every part, and what to do about what is not well."""

import argparse
import json

from iot_client.__main__ import settings_of
from iot_client.checkup import check_up


def run(arguments: argparse.Namespace) -> int:
    """Print one line a finding; 1 if something is not well."""
    findings = check_up(settings_of(arguments))
    if arguments.json:
        print(json.dumps([finding.__dict__ for finding in findings]))
    else:
        for finding in findings:
            print(f"{'ok  ' if finding.well else 'FAIL'}  {finding.part:12} {finding.says}")
    return 0 if all(finding.well for finding in findings) else 1
