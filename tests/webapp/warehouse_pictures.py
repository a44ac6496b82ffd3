"""`python tests/webapp/warehouse_pictures.py FOLDER`: the operator's pages over a real cloud, with devices made up."""

import json
import math
import random
import sys
import time
from pathlib import Path

from chromium_shop import FLAGS, Shop, sign_in
from pictures import WIDTHS, stock
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from worlds import PASSPHRASE, World, build_world, start_anvil, stop, wait_for

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.iot_cloud.devices import PahoDevice
from tests.iot_cloud.running import RunningCloud
from webapp.catalogue import sales_of
from webapp.models import AuditRow, ThingRow
from webapp.people import Role, create_account

COLOURS = 224
TALLEST = 1500
GATES = {"north-1": "LOCKED", "north-2": "OPEN", "yard-1": "JAMMED", "yard-2": None}
REFUSED = (
    ("expired", "This receipt has expired. Open the sale's page and make a new receipt."),
    ("no-code", "No barcode was found. Hold the receipt flat, a hand's width before the camera."),
    ("replaced", "This receipt was replaced by a newer one. Show the newest receipt."),
    ("other-site", "These goods are stored at another site. Go to the site that the receipt names."),
    ("collected", "Already collected. If it was not you, call the operator."),
)
PAGES = {
    "overview": "/warehouse", "tasks": "/warehouse/tasks", "log": "/warehouse/log", "alarms": "/warehouse/alarms",
    "gate": "/warehouse/north-1", "open": "/warehouse/north-1/open", "devices": "/warehouse/devices",
    "device": "/warehouse/devices/north-1", "provision": "/warehouse/devices/new", "figures": "/analytics?days=30",
    "help": "/help",
}  # fmt: skip


def people(world: World) -> None:
    """An auditor, and things in the journal."""
    parts = world.parts
    create_account(parts.database, parts.unlocker, name="auditor", passphrase=PASSPHRASE, role=Role.AUDITOR)
    day, chance = 86_400, random.Random(7)
    enrolled = {
        "cloud": {"serial": "1BFA68947A65931E23566FCA22E38B81E53ABD44", "not_after": int(time.time()) + 390 * day}
    }
    with parts.database.write() as session:
        for number, thing in enumerate(GATES, 1):
            state = "begun" if thing == "yard-2" else "provisioned"
            steps = {"device": world.people["other"].address, **enrolled, "gateway": {}}
            steps |= {} if state == "begun" else {"chain": {}, "balance": {}}
            facts = {"chain_id": parts.chain.chain_id, "site": 1, "state": state, "steps": steps}
            session.add(ThingRow(thing=thing, device_id=None if state == "begun" else number, **facts))
        for number in range(12):
            who = chance.choice(("seller", "operator"))
            session.add(
                AuditRow(
                    user_id=world.people[who].id,
                    at=int(time.time()) - number * 4_000,
                    action=chance.choice(("read-buyer", "read-pickups", "gate-open")),
                    subject="0xDed05441d22A6e9877993a4BBCaF33dD5Cf87385",
                    detail="/warehouse",
                )
            )


def buy(world: World) -> None:
    """Some of the goods are bought."""
    chain = world.parts.chain
    for row in sales_of(world.parts.database, chain.chain_id, seller=world.people["seller"].address)[:4]:
        world.call("buyer", chain.sale(row.address).buy(row.price_wei))
    world.index()


def devices(cloud: RunningCloud, world: World) -> list[PahoDevice]:
    """Four gates that tell how they stand, what they measured and what happened."""
    sold = [
        row.address
        for row in sales_of(world.parts.database, world.parts.chain.chain_id, seller=world.people["seller"].address)
    ]
    made, now = [], time.time()
    for thing, state in GATES.items():
        device = PahoDevice(thing, cloud.provision(thing)).online()
        made.append(device)
        device.publish(f"lading/{thing}/status", {"online": state is not None})
        device.update({"reported": {"gate": state or "LOCKED"}})
        tell(device, sold, now)
        for number in range(96):
            at = now - (96 - number) * 900
            for sensor, unit, value in (
                ("temperature", "°C", 6 + 3 * math.sin(number / 15)),
                ("humidity", "%", 61 + 7 * math.cos(number / 22)),
            ):
                body = {"sensor": sensor, "seq": number, "at": at, "value": round(value, 2), "unit": unit}
                device.client.publish(f"lading/{thing}/readings", json.dumps(body), 1)
    return made


def tell(device: PahoDevice, sold: list[str], now: float) -> None:
    """What happened at a gate these days."""
    chance, topic = random.Random(device.name), f"lading/{device.name}/events"
    events = []
    for number in range(30):
        at = now - number * 5_300
        if chance.random() < 0.35:
            outcome, says = chance.choice(REFUSED)
            events.append({"event": "scan", "at": at, "sale": chance.choice(sold), "outcome": outcome, "says": says})
            continue
        sale = chance.choice(sold)
        events.append({"event": "scan", "at": at, "sale": sale, "outcome": "released"})
        for later, state in enumerate(
            ("submitted", "consumed", "requested", "intent", "actuated", "sensed", "completed")
        ):
            events.append(
                {"event": "release", "at": at + later, "sale": sale, "attempt": number, "state": state, "by": ""}
            )
    if device.name == "yard-1":
        case = {"event": "release", "sale": sold[0], "attempt": 0, "by": "unsure", "detail": "the gate is jammed"}
        events.append({**case, "at": now - 400, "state": "case"})
        events.append({"event": "alarm", "at": now, "kind": "fork", "message": "two sealed blocks at height 1204"})
    for seq, event in enumerate(sorted(events, key=lambda one: float(str(one["at"])))):
        device.client.publish(topic, json.dumps({"seq": seq, **event}), 1)


def audited(world: World) -> dict[str, str]:
    """What an auditor looks at: pages of the audit, and the explorer's of one purchase."""
    chain = world.parts.chain
    sale = sales_of(world.parts.database, chain.chain_id, seller=world.people["seller"].address)[0].address
    block = chain.node.call("eth_getBlockByNumber", "latest", False)
    return {
        "audit": "/audit", "commands": "/audit/commands", "explorer": "/explorer",
        "block": f"/explorer/block/{int(block['number'], 16)}",
        "transaction": f"/explorer/transaction/{block['transactions'][0]}",
        "address": f"/explorer/address/{sale}", "consistency": f"/explorer/consistency/{sale}",
    }  # fmt: skip


def opened(shop: Shop, browser: Browser, who: str) -> Page:
    """Return somebody's page."""
    page = browser.new_context(base_url=shop.url, device_scale_factor=1).new_page()
    page.set_default_timeout(180_000)
    sign_in(page, who)
    return page


def picture(page: Page, folder: Path, name: str) -> None:
    """Take a page at both widths, the narrow one in the dark; few colours, so that it stays small."""
    for kind, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if kind == "narrow" else "light", reduced_motion="reduce")
        page.reload()  # charts take the colours that they find
        page.wait_for_timeout(1_200)
        file = folder / f"{name}-{kind}.png"
        page.screenshot(path=file, full_page=True)
        with Image.open(file) as image:
            cut = image.convert("RGB").crop((0, 0, image.width, min(image.height, TALLEST)))
        cut.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)


def main() -> None:
    """Make a warehouse, take the pictures, leave nothing else behind."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    anvil, url = start_anvil("--accounts", "3", "--balance", "100000000")
    cloud = RunningCloud.start(requests_per_s=5000, burst=5000)
    with sync_playwright() as playwright:
        world = build_world(cloud.folder, url)
        stock(world)
        world.index()
        buy(world)
        people(world)
        shop = Shop(world, "chain_silent_s = 100000\n", confirmations=1)
        things = devices(cloud, world)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        try:
            operator = opened(shop, browser, "operator")
            wait_for(lambda: operator.goto("/warehouse/tasks") and "two sealed" in operator.content())
            for name, path in PAGES.items():
                operator.goto(path)
                picture(operator, folder, name)
            operator.goto("/warehouse/tasks")
            operator.click("a:has-text('Settle') >> nth=0")
            picture(operator, folder, "case")
            auditor = opened(shop, browser, "auditor")
            for name, path in audited(world).items():
                auditor.goto(path)
                picture(auditor, folder, name)
        finally:
            browser.close()
            shop.close()
            for thing in things:
                thing.close()
            world.parts.close()
            cloud.remove()
            stop(anvil)


if __name__ == "__main__":
    main()
