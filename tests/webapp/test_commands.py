"""The command line answers fast: what takes long to load is loaded where it is needed."""

import json
import subprocess
import sys

import pytest
from chromium_shop import Shop
from worlds import World

from webapp.__main__ import main

HEAVY = ("web3", "eth_account", "flask")


def test_help_loads_nothing_heavy():
    """Neither the chain's library nor the web's."""
    code = f"import sys, webapp.__main__ as m; m.parser(); print([name for name in {HEAVY} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said == "[]\n"


@pytest.mark.slow
def test_the_running_application_tells_of_itself_and_stops(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`status` and `down` find it by its run folder; once it is gone they say how to start it."""
    monkeypatch.setenv("LADING_HOME", str(world.home))
    shop = Shop(world)
    assert main(["status", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["url"], said["status"]) == (shop.url, "ok")
    assert main(["down"]) == 0
    assert shop.process.wait(30) == 0
    for command in ("status", "down"):
        assert main([command]) == 1
        assert "start it with lading-web up" in capsys.readouterr().err
