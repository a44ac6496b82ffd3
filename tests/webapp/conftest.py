"""The application over a real chain, and browsers before it."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from chromium_shop import Shop, launch, new_context, sign_in
from flask.testing import FlaskClient
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, sync_playwright
from postgres_server import PostgresServer
from worlds import PASSPHRASE, World, build_world, start_anvil, stop, wait_for

from tests.iot_cloud.running import RunningCloud
from webapp.app import create_app
from webapp.database import Database
from webapp.services import Services

__all__ = ["wait_for"]


@pytest.fixture(scope="package")
def anvil() -> Iterator[str]:
    """A chain that mines each transaction at once."""
    process, url = start_anvil("--accounts", "3", "--balance", "100000000")
    yield url
    stop(process)


@pytest.fixture(scope="package")
def first_world(anvil: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world as it is before every test, built once."""
    built = build_world(tmp_path_factory.mktemp("web"), anvil)
    yield built
    built.parts.close()


@pytest.fixture
def world(first_world: World, tmp_path: Path) -> Iterator[World]:
    """A world of the test's own: a copy of the files, and a chain that is taken back afterwards."""
    home = tmp_path / "home"
    shutil.copytree(first_world.home, home)
    node = first_world.parts.chain.node
    snapshot = node.call("evm_snapshot")
    settings = first_world.parts.settings.model_copy(update={"home": home, "pi_inboxes": {}})
    parts = replace(Services.open(settings), unlocker=first_world.parts.unlocker)
    people, keys = dict(first_world.people), dict(first_world.keys)
    yield replace(first_world, home=home, parts=parts, people=people, keys=keys)
    for part in (parts.cloud, parts.chain.node, parts.database):
        part.close()
    node.call("evm_revert", snapshot)


class Browser:
    """A client with a session, that fills forms as a browser would."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def page(self, path: str) -> str:
        """Return a page's text, following redirects."""
        answer = self.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.text

    def tokens(self, page: str) -> dict[str, str]:
        """Return a form's hidden fields."""
        found = {}
        for name in ("csrf_token", "form_key"):
            match = re.search(rf'name="{name}"[^>]*value="([^"]+)"', page)
            if match:
                found[name] = match[1]
        return found

    def post(self, path: str, data: dict[str, object] | None = None, *, page: str | None = None) -> object:
        """Send a form with the hidden fields of a page that holds them."""
        hidden = self.tokens(self.page(page or path))
        return self.client.post(path, data={**hidden, **(data or {})})

    def sign_in(self, name: str, passphrase: str = PASSPHRASE) -> "Browser":
        """Sign in by the form."""
        answer = self.post("/sign-in", {"name": name, "passphrase": passphrase})
        assert answer.status_code == 302, answer.text  # type: ignore[attr-defined]
        return self


@pytest.fixture
def app(world: World) -> object:
    """The application."""
    made = create_app(world.parts.settings, world.parts)
    made.testing = True
    return made


@pytest.fixture
def browser(app: object) -> Callable[[str], Browser]:
    """Somebody's browser, signed in."""

    def make(name: str = "") -> Browser:
        fresh = Browser(app.test_client())  # type: ignore[attr-defined]
        return fresh.sign_in(name) if name else fresh

    return make


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A chain with a block a second, and the application over it; for every file of tests in a browser."""
    process, url = start_anvil("--accounts", "3", "--balance", "100000000")
    home = tmp_path_factory.mktemp("shop")
    (home / "inbox").mkdir()
    built = build_world(home, url)
    built.parts.chain.node.call("evm_setIntervalMining", 1)
    made = Shop(built, f'[web.pi_inboxes]\ngate-1 = "{home / "inbox"}"\n')
    yield made
    made.close()
    built.parts.close()
    stop(process)


@pytest.fixture(scope="package")
def cloud() -> Iterator[RunningCloud]:
    """The IoT cloud as its own process, in its own run folder."""
    running = RunningCloud.start(requests_per_s=1000, burst=1000)
    yield running
    running.remove()


@pytest.fixture(scope="module")
def chromium():
    """One browser."""
    with sync_playwright() as playwright:
        opened = launch(playwright)
        yield opened
        opened.close()


@pytest.fixture
def visit(shop: Shop, chromium: Chromium):
    """Open a page as somebody, in a window of a width; complaints of the console fail the test."""
    contexts, said = [], []

    def open_as(name: str = "", width: int = 1280, **how: object) -> Page:
        how["viewport"] = {"width": width, "height": 900}
        context = new_context(chromium, shop, shop.sessions.get(name), **how)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        if name and name not in shop.sessions:
            sign_in(page, name)
            shop.sessions[name] = context.storage_state()
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert [text for text in said if "status of 4" not in text and "ERR_" not in text] == []


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A database server of a module's own."""
    running = PostgresServer()
    yield running
    running.remove()


@pytest.fixture
def database(server: PostgresServer) -> Iterator[Database]:
    """The database on it."""
    opened = Database(server.url)
    yield opened
    opened.close()
