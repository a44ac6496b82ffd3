"""The Python client and the command: what a program needs of the API, over a real connection."""

import json
import threading
from itertools import islice

import pytest
from test_api import signed, token_of
from test_index import listing
from test_ledger import sold
from werkzeug.serving import make_server

from webapp.__main__ import main
from webapp.client import ApiError, Client
from webapp.tokens import Scope


@pytest.fixture
def url(app):
    """The application behind a real socket."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.row("M8")
def test_a_program_reads_pages_through_sends_and_hears(world, url):
    """Lists page by themselves; a problem is an exception with its code; events go on after a place."""
    chain = world.parts.chain
    world.call("seller", chain.factory.create_sales([listing(f"n{number}") for number in range(5)]))
    sale = sold(world)
    with Client(url, token_of(world, "buyer")) as client:
        assert client.get("/me")["name"] == "buyer"
        assert len(list(client.every("/sales", limit=2))) == 6
        assert client.sale(chain.chain_id, sale)["buyer"] == world.people["buyer"].address
        assert [step["name"] for step in client.history(chain.chain_id, sale)] == ["Listed", "Sold"]
        raw = signed(world)
        assert client.send(raw, "once")["id"] == client.send(raw, "once")["id"]
        with pytest.raises(ApiError) as caught:
            client.sale(chain.chain_id, "0x")
        assert (caught.value.status, caught.value.code) == (404, "not-found")
        heard = list(islice(client.events("0-0"), 4))
        assert next(client.events(heard[1].id)) == heard[2]


def test_whoever_listens_hears_what_happens_from_the_call_on(world, url):
    """Also what happens before the first one is asked for."""
    with Client(url, token_of(world, "buyer")) as client:
        heard = client.events(kinds="orders")
        sold(world)
        assert [happened.kind for happened in islice(heard, 2)] == ["start", "sale"]


def test_the_command_asks_with_the_token_of_the_environment(world, url, monkeypatch, capsys):
    """JSON on standard output; a problem in words and status 1."""
    monkeypatch.setenv("LADING_TOKEN", token_of(world, "other", Scope.READ))
    assert main(["api", "--url", url, "/blocks", "limit=1"]) == 0
    assert len(json.loads(capsys.readouterr().out)["blocks"]) == 1
    assert main(["api", "--url", url, "/orders"]) == 1
    assert "scope-missing" in capsys.readouterr().err
    monkeypatch.setenv("LADING_HOME", str(world.home))
    assert main(["api", "/me"]) == 1
    assert "No lading-web runs" in capsys.readouterr().err
