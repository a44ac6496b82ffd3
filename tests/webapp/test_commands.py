"""The command line answers fast: what takes long to load is loaded where it is needed."""

import subprocess
import sys

HEAVY = ("web3", "eth_account", "flask")


def test_help_loads_nothing_heavy():
    """Neither the chain's library nor the web's."""
    code = f"import sys, webapp.__main__ as m; m.parser(); print([name for name in {HEAVY} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said == "[]\n"
