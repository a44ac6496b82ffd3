"""What was collected is proven years later by a file, to whoever knows the sealers, with nothing running."""

import json
import re
from pathlib import Path

import pytest

from scripts.story.cast import THING
from tests.contracts.proof.offline import clean_checkout, verify_offline
from tests.e2e.conftest import Told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_sales_page_and_the_door_give_proofs_that_hold_without_a_network(told: Told, tmp_path: Path) -> None:
    """The buyer's download and the door's export through the gateway, on a clean checkout with the network down."""
    story, found = told.story, re.search(r"contract +(0x[0-9a-fA-F]{40})", told.terminal)
    assert found
    address = found[1]
    exported = tmp_path / "exported.json"
    story.stage.folder.run("lading-pi", "--thing", THING, "proof", "export", address, "--out", str(exported))
    downloaded = tmp_path / "downloaded.json"
    downloaded.write_bytes(story.visitor(story.buyer).download(f"{story.page(address)}/proof.json"))
    checkout = clean_checkout(tmp_path / "checkout")
    for file in (exported, downloaded):
        said = verify_offline(checkout, file, story.stage.ready["chain"]["sealers"])
        assert said.stderr == ""
        proven = json.loads(said.stdout)
        assert (proven["sale"], proven["status"], proven["buyer"]) == (address, "Released", story.buyer.address)


def test_strangers_do_not_learn_the_buyer_from_a_proof(told: Told) -> None:
    """The download is for whoever may see the buyer."""
    story, found = told.story, re.search(r"contract +(0x[0-9a-fA-F]{40})", told.terminal)
    assert found
    assert story.visitor(story.seller).finds(f"{story.page(found[1])}/proof.json")
    stranger = type(story.visitor(story.seller))(story.stage.ready["web"]["url"])
    assert not stranger.finds(f"{story.page(found[1])}/proof.json")
    stranger.http.close()
