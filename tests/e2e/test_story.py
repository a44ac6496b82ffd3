"""The order's whole way on real parts: geth, Nginx, mosquitto, X.509, the web application and the Pi."""

import re

import pytest
from eth_utils.currency import to_wei

from contracts.sale import Sale, Status
from scripts.story.people import PRICE_ETH, Story
from tests.e2e.conftest import Told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def nimbus(told: Told) -> Sale:
    """The sale of the published tables, as the second RPC node tells it."""
    address = re.search(r"contract +(0x[0-9a-fA-F]{40})", told.terminal)
    assert address
    return told.story.sale(address.group(1), node=1)


@pytest.mark.row("B24", "B4", "B6")
def test_the_sellers_form_yields_a_contract_and_its_hashes(told: Told) -> None:
    """Table 2: transaction hash, block hash and parent hash are three different hashes, shown with the contract."""
    table = told.terminal.split("(Table 2)")[1].split("(Table 3)")[0]
    hashes = re.findall(r"(?:transaction|block hash|parent hash) +(0x[0-9a-f]{64})", table)
    assert len(set(hashes)) == 3
    assert "Nimbus, alpha, 2019, 50 ETH, sold: False" in table


@pytest.mark.row("B24", "B6")
def test_the_hashes_shown_are_the_chains_own(told: Told) -> None:
    """The block of the shown transaction has the shown hash and parent on another node."""
    table = told.terminal.split("(Table 2)")[1].split("(Table 3)")[0]
    transaction, block, parent = re.findall(r"(?:transaction|block hash|parent hash) +(0x[0-9a-f]{64})", table)[:3]
    node = told.story.stage.node(1)
    receipt = node.eth.get_transaction_receipt(transaction)
    assert node.to_hex(receipt["blockHash"]) == block
    assert node.to_hex(node.eth.get_block(block)["parentHash"]) == parent


@pytest.mark.row("B25", "B11")
def test_after_the_purchase_the_item_is_the_buyers(told: Told, nimbus: Sale) -> None:
    """Table 3: sold, for exactly the price, to the buyer."""
    item = nimbus.get_item()
    assert item.sold
    assert item.buyer == told.story.buyer.address
    assert item.price_wei == to_wei(PRICE_ETH, "ether")
    assert f"the seller has {PRICE_ETH} ETH more" in told.terminal


@pytest.mark.row("B26", "B19")
def test_the_door_verified_released_and_completed(told: Told, nimbus: Sale) -> None:
    """Table 4: the chain says Released by this door's device, and the person was told."""
    assert nimbus.status() is Status.RELEASED
    assert nimbus.device() == 1
    assert "ownership verified" in told.terminal


@pytest.mark.row("B26")
def test_every_invalid_case_was_refused_for_its_own_reason(told: Told) -> None:
    """Five refusals, five different reasons, and the gate opened once in all."""
    reasons = re.findall(r": refused\n +(.+)", told.terminal)
    assert len(reasons) == len(set(reasons)) == 5
    assert told.openings == 1


@pytest.mark.row("B20")
def test_the_shadow_shows_the_release_and_asks_nothing_more(told: Told) -> None:
    """After the release desired is cleared, reported tells the outcome, and there is no delta."""
    shadow = told.story.shadow()
    assert shadow["state"]["reported"]["lastRelease"]["outcome"] == "opened"
    assert "release" not in shadow["state"].get("desired", {})
    assert "delta" not in shadow["state"]


@pytest.mark.row("B18")
def test_the_pi_holds_no_chain(story: Story) -> None:
    """The Pi's folder has no blocks: a configuration, keys, a journal."""
    files = [path for path in (story.stage.path / "pi").rglob("*") if path.is_file()]
    assert not [path for path in files if "chaindata" in path.parts]
    assert sum(path.stat().st_size for path in files) < 5_000_000


def test_secrets_are_readable_by_their_owner_alone(story: Story) -> None:
    """Keys, passwords and passphrases are 0600 everywhere in the run folder."""
    names = ("password", "passphrase", ".key", "keystore.json", "secret")
    secrets = [path for path in story.stage.path.rglob("*") if path.is_file() and path.name.endswith(names)]
    assert secrets
    assert [path for path in secrets if path.stat().st_mode & 0o077] == []


@pytest.mark.row("N3")
def test_no_voucher_and_no_key_is_in_a_log(story: Story) -> None:
    """The barcode's text, which is a bearer right, is in no log of any part."""
    logs = [
        path for path in story.stage.path.rglob("*") if path.suffix in (".log", ".jsonl", ".txt") and path.is_file()
    ]
    assert len(logs) >= 5
    assert [path for path in logs if b"LADING:1:" in path.read_bytes()] == []
