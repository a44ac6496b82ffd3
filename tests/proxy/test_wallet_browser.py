"""A real browser asks the wallets' block from a page: its own preflight, its own headers."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.proxy.authority import Authority
from tests.proxy.conftest import PLENTY, run_folder
from tests.proxy.node import Node
from tests.proxy.running import Running, rpc

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
ASK = """async ([url, call]) => {
  try {
    const headers = {'content-type': 'application/json'};
    const answer = await fetch(url, {method: 'POST', headers, body: JSON.stringify(call)});
    return [answer.status, await answer.json()];
  } catch (error) { return [0, String(error)]; }
}"""


class EmptyPage(BaseHTTPRequestHandler):
    """A page that says nothing."""

    def do_GET(self) -> None:
        """The page."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def pages() -> Iterator[list[str]]:
    """The origins of two pages: ours and another's."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) for _ in range(2)]
    threads = [threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}) for server in servers]
    for thread in threads:
        thread.start()
    yield [f"http://127.0.0.1:{server.server_port}" for server in servers]
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def front(shared_node: Node, pages: list[str]) -> Iterator[Running]:
    """A gateway that knows the first page."""
    with run_folder() as home:
        running = Running(home, Authority(home / "ca"), [shared_node.url], wallet_origins=pages[:1], **PLENTY)
        running.up()
        yield running
        running.down()


@pytest.fixture
def page() -> Iterator[Page]:
    """An empty tab."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser.new_page()
        browser.close()


@pytest.mark.slow
def test_our_page_reads_answers_and_refusals_and_another_page_nothing(
    front: Running, shared_node: Node, pages: list[str], page: Page
) -> None:
    """The browser's preflight passes for our page alone; from the other nothing reaches the node."""
    page.goto(pages[0])
    assert page.evaluate(ASK, [front.ready["wallets"], rpc("eth_chainId")])[:1] == [200]
    status, refusal = page.evaluate(ASK, [front.ready["wallets"], rpc("admin_peers")])
    assert (status, refusal["error"]["data"]["reason"]) == (403, "method")
    shared_node.seen.clear()
    page.goto(pages[1])
    assert page.evaluate(ASK, [front.ready["wallets"], rpc("eth_chainId")]) == [0, "TypeError: Failed to fetch"]
    assert shared_node.calls() == []
