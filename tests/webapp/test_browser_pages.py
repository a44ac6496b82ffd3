"""Every page in Debian's Chromium: nothing serious in axe-core's eyes, light and dark, and none scrolls sideways."""

import pytest
from chromium_shop import put_up
from playwright.sync_api import Page, expect
from visits import ERRORS, MACHINES, NO_PAGES, PAGES
from worlds import ETHER, PASSPHRASE, ROOT, wait_for

from webapp.app import create_app
from webapp.device_events import row_of
from webapp.device_log import insert_new
from webapp.index.follower import stands_at
from webapp.models import ThingRow
from webapp.outbox import Planned
from webapp.people import Role, create_account

AXE = ROOT / "node_modules/axe-core/axe.min.js"
LOOKS = (("light", 1280, "undefined"), ("dark", 360, "['color-contrast', 'target-size']"))
"""All rules wide and light; what a phone and the dark change, narrow and dark."""
CSV = b"make,model,year,price,site\nNimbus,alpha,2019,1,1\nNimbus,,2019,1,1\n"


def test_every_page_has_its_visits(world):
    """The routes that answer GET are those of the table, so that a new page cannot be forgotten."""
    rules = create_app(world.parts.settings, world.parts).url_map.iter_rules()
    asked = {rule.endpoint for rule in rules if "GET" in (rule.methods or ())}
    people = {endpoint for endpoint in asked if endpoint.split(".")[0].split("_")[0] not in MACHINES}
    assert people - NO_PAGES == set(PAGES), "give the new page a line in tests/webapp/visits.py"


@pytest.fixture(scope="module")
def made(shop):
    """Goods, a purchase with its receipt, a transaction of the application's own, a gate with a case of its own."""
    world, chain = shop.world, shop.world.parts.chain
    sold, listed = put_up(shop, "P1", 30), put_up(shop, "P2")
    user, key, contract = world.people["buyer"], world.keys["buyer"], chain.sale(sold.rsplit("/", 1)[1])
    plan = Planned(contract.buy(50 * ETHER), "buy", sold.rsplit("/", 1)[1], {"title": "Nimbus alpha"})
    [sent] = world.parts.outbox.submit(user.id, key, "5" * 32, [plan])
    with world.parts.database.write() as session:
        facts = {"chain_id": chain.chain_id, "device_id": None, "site": 1, "state": "provisioned", "steps": {}}
        session.add(ThingRow(thing="gate-1", **facts))
        case = {"event": "release", "sale": sold.rsplit("/", 1)[1], "attempt": 0, "state": "case", "at": 1_000_000_000}
        event = {**case, "by": "unsure", "detail": "the gate is jammed"}
        insert_new(session, [row_of(chain.chain_id, "gate-1", {"id": 1, "received_at": 1_000_000_000, "event": event})])
    create_account(world.parts.database, world.parts.unlocker, name="auditor", passphrase=PASSPHRASE, role=Role.AUDITOR)
    block = wait_for(lambda: chain.node.call("eth_getTransactionReceipt", sent.hash))["blockNumber"]
    wait_for(lambda: stands_at(world.parts.database, chain.chain_id) >= int(block, 16))
    return {
        "sold": sold.removeprefix("/sales/"),
        "sale": sold.rsplit("/", 1)[1],
        "open": listed.removeprefix("/sales/"),
        "transaction": str(sent.id),
        "hash": sent.hash,
        "block": str(int(block, 16)),
        "seller": world.people["seller"].address,
    }


VISITS = [visit.split() for visit in (*(one for visits in PAGES.values() for one in visits), *ERRORS)]


@pytest.mark.slow
@pytest.mark.parametrize("who", sorted({who for who, _path in VISITS}))
def test_no_page_has_serious_findings(shop, visit, made, who):
    """Every page of the table, as those who may open it, and pages that answer in error."""
    found, page = [], visit(who.replace("-", ""))
    for path in (path.format(**made) for one, path in VISITS if one == who):
        page.goto(path)
        found += findings(page, path)
    assert found == []


@pytest.mark.slow
def test_no_answer_to_a_form_has_serious_findings(shop, visit, made):
    """A file's preview with a bad line, a refused form, a stale form, a contract that was asked."""
    page = visit("seller")
    page.goto("/sell/batch")
    page.set_input_files("#file", {"name": "goods.csv", "mimeType": "text/csv", "buffer": CSV})
    page.click("text=Look at it")
    expect(page.locator("tr.bad-line")).to_have_count(1)
    found = findings(page, "preview")
    page.goto("/sell/new")
    page.evaluate("document.querySelector('main form').noValidate = true")
    page.click("main form button.full")
    expect(page.locator("[aria-invalid]").first).to_be_visible()
    found += findings(page, "refused")
    page.evaluate("document.querySelector('main form [name=csrf_token]').value = 'old'")
    page.click("main form button.full")
    expect(page.locator("main")).to_contain_text("Nothing was sent")
    found += findings(page, "stale")
    page.goto(f"/sales/{made['sold']}")
    page.click(".chain-says summary")
    expect(page.locator("#says dl")).to_be_visible()
    assert found + findings(page, "asked") == []


def findings(page: Page, name: str) -> list[tuple[str, ...]]:
    """Return what scrolls sideways, and axe-core's serious and critical findings, on the page that is open."""
    found: list[tuple[str, ...]] = []
    for scheme, width, _rules in LOOKS:
        look(page, scheme, width)
        sideways = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if sideways > 0:
            found.append((name, str(width), "scrolls sideways", str(sideways)))
    # The page's own policy lets no foreign script in; the test's is evaluated past it.
    page.evaluate(AXE.read_text())
    for scheme, width, rules in reversed(LOOKS):
        look(page, scheme, width)
        said = page.evaluate(f"axe.run({{ resultTypes: ['violations'], runOnly: {rules} }})")["violations"]
        grave = [one for one in said if one["impact"] in ("serious", "critical")]
        found += [(name, scheme, one["id"], node["html"][:150]) for one in grave for node in one["nodes"]]
    return found


def look(page: Page, scheme: str, width: int) -> None:
    """Look at the page as somebody with such a screen."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
