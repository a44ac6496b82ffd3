"""The application as a process, and Debian's Chromium before it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, StorageState
from worlds import ETHER, PASSPHRASE, World, wait_for

from contracts.factory import Listing

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 60_000


class Shop:
    """`lading-web up` over a world; `settings` are further lines of its table."""

    def __init__(self, world: World, settings: str = "", confirmations: int = 2, home: Path | None = None) -> None:
        self.world = world
        self.sessions: dict[str, StorageState] = {}
        self.home = home = home or world.home
        urls = json.dumps(list(world.parts.settings.rpc))
        table = (
            f"port = 0\nrpc = {urls}\nscrypt_n = 1024\npoll_s = 0.2\nthreads = 16\nconfirmations = {confirmations}\n"
        )
        (home / "lading.toml").write_text(f"[web]\n{table}{settings}")
        environment = {**os.environ, "LADING_HOME": str(home), "LADING_CONFIG": str(home / "lading.toml")}
        command = ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", "webapp", "up"]
        with (home / "up.out").open("wb") as out:
            self.process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        ready = home / "web" / "ready.json"

        def serves() -> bool:
            assert self.process.poll() is None, (home / "up.out").read_text()
            return ready.exists()

        wait_for(serves, 200)
        self.url = json.loads(ready.read_text())["url"]

    def close(self) -> None:
        """Stop it; it ends in order."""
        self.process.terminate()
        assert self.process.wait(60) == 0
        assert not (self.home / "web" / "ready.json").exists()


def launch(playwright: Playwright) -> Browser:
    """Start Debian's Chromium."""
    return playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))


def new_context(browser: Browser, shop: Shop, session: StorageState | None, **how: Any) -> BrowserContext:
    """Return a window's surroundings; `session` is somebody's who has signed in before."""
    how = {"viewport": {"width": 1280, "height": 900}, **how}
    context = browser.new_context(base_url=shop.url, storage_state=session, **how)
    context.set_default_timeout(PATIENCE_MS)
    return context


def sign_in(page: Page, name: str, onwards: str = "/") -> None:
    """Sign in by the form."""
    page.goto(f"/sign-in?next={onwards}")
    page.fill("#name", name)
    page.fill("#passphrase", PASSPHRASE)
    page.click("main form button")
    page.wait_for_url(f"**{onwards}")


def fill_listing(page: Page, number: str) -> None:
    """Fill in the seller's form, all but the passphrase."""
    page.goto("/sell/new")
    for field, value in {"make": "Nimbus", "model": "alpha", "year": "2019", "price": "50", "number": number}.items():
        page.fill(f"#{field}", value)


def put_up(shop: Shop, number: str, days: int = 0) -> str:
    """List an item past the pages; return its page's path once the index knows it."""
    world = shop.world
    listing = Listing("Nimbus", "alpha", number, 2019, 50 * ETHER, days * 86_400, world.site)
    world.call("seller", world.parts.chain.factory.create_sale(listing))
    address = world.parts.chain.factory.find(world.people["seller"].address, listing)
    path = f"/sales/{world.parts.chain.chain_id}/{address}"
    wait_for(lambda: httpx.get(shop.url + path, timeout=60).status_code == 200)
    return path


def wait_for_barcode(page: Page) -> None:
    """Wait until the receipt's picture is there."""
    page.wait_for_selector("img.barcode")
    wait_for(lambda: page.evaluate("document.querySelector('img.barcode').naturalWidth > 0"))
