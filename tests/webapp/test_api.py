"""Programs get the same facts as people, and no more."""

import json

import pytest
from test_selling_and_buying import buy, contract_of, list_item


@pytest.mark.row("M8")
def test_sales_as_json(world, browser):
    """What is for sale, one sale, the sites; amounts are decimal strings."""
    address = contract_of(world, browser, list_item(world, browser))
    client = browser().client
    found = client.get("/api/v1/sales?q=nimbus").json
    assert [(sale["address"], sale["price_wei"]) for sale in found["sales"]] == [(address, str(50 * 10**18))]
    one = client.get(f"/api/v1/sales/{world.parts.chain.chain_id}/{address}").json
    assert (one["status"], one["make"], one["buyer"]) == ("listed", "Nimbus", None)
    assert client.get("/api/v1/sites").json["sites"][0]["name"] == "Dock 7"


def test_the_buyer_is_told_to_whom_it_concerns(world, browser):
    """Null for strangers, the address for the seller."""
    address = contract_of(world, browser, list_item(world, browser))
    buy(world, browser, address)
    path = f"/api/v1/sales/{world.parts.chain.chain_id}/{address}"
    assert browser().client.get(path).json["buyer"] is None
    assert browser("seller").client.get(path).json["buyer"] == world.people["buyer"].address


def test_bad_parameters_are_answered_in_json(world, browser):
    """Never a stack trace, never a page."""
    client = browser().client
    for path in ("sales?page=0", "sales?page=x", "sales?site=-1", "sales?sort=up", "sales?q=" + "x" * 81):
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 422, path
        assert answer.is_json
    for path in ("sales/1/0x", "sales/x/y", "sales/99999999999999999999/0x" + "0" * 40, "nothing"):
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 404, path
        assert answer.is_json


def test_the_document_describes_it(world, browser):
    """OpenAPI 3.1 with every path."""
    document = browser().client.get("/api/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    for path in ("/api/v1/sales", "/api/v1/sales/{chain_id}/{address}", "/api/v1/sites"):
        assert path in document["paths"]


@pytest.mark.row("M7")
def test_events_go_on_after_the_last_one_seen(world, browser):
    """A reconnect with `Last-Event-ID` loses and doubles none."""
    address = contract_of(world, browser, list_item(world, browser))
    buy(world, browser, address)
    client = browser().client

    def after(place):
        """Return ids and names of what comes next."""
        answer = client.get("/api/v1/events", headers={"Last-Event-ID": place}, buffered=False)
        seen = []
        for piece in answer.response:
            text = piece.decode() if isinstance(piece, bytes) else piece
            if text.startswith(":"):
                break
            if text.startswith("id: "):
                data = json.loads(text.split("data: ", 1)[1].split("\n")[0])
                seen.append((text.split("\n")[0][4:], data["name"]))
                assert world.people["buyer"].address not in text
        answer.close()
        return seen

    everything = after("0-0")
    assert [name for _id, name in everything][-2:] == ["Listed", "Sold"]
    first_half = everything[: len(everything) // 2]
    assert first_half + after(first_half[-1][0]) == everything


def test_health_and_metrics(world, browser):
    """For machines."""
    client = browser().client
    health = client.get("/healthz").json
    assert (health["status"], health["behind"]) == ("ok", 0)
    assert "lading_web_indexed_block" in client.get("/metrics").text
