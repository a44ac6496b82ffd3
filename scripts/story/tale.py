"""The story, chapter by chapter: the published tables with the published data, and what the door refuses."""

import re
from dataclasses import dataclass

from eth_account import Account
from eth_utils.currency import from_wei

from contracts.deployment import Deployment
from contracts.sale import Item
from contracts.voucher import Voucher, decode_voucher, encode_voucher, sign_voucher
from iot_client.reasons import Refusal, line_for
from iot_client.scanner.folder import scan_file
from scripts.story import cast
from scripts.story.beside import beside
from scripts.story.narration import Narrator
from scripts.story.people import PRICE_ETH, Story
from scripts.story.pictures import draw_barcode
from scripts.story.processes import ProcessFailed
from scripts.story.stage import Stage

HASHES = {"transaction": "transaction", "block-hash": "block hash", "parent-hash": "parent hash"}


class StoryBroken(RuntimeError):  # noqa: N818  # reads as what happened
    """Something in the story did not go as it must."""


def expect(true: bool, otherwise: str) -> None:
    """Go on only if something is as it must be."""
    if not true:
        raise StoryBroken(otherwise)


@dataclass
class Tale:
    """Tells one run of the story, over a stage that it sets first."""

    stage: Stage
    tell: Narrator

    def play(self) -> Story:
        """Play every chapter; return the story with its people, who may go on."""
        self._chain()
        self._contracts()
        story = self._people()
        address = self._sell(story)
        unpaid, elsewhere = self._sell_others(story)
        self._buy(story, address)
        payment = story.pay(elsewhere)
        self._refuse_before(story, address, unpaid)
        story.paid(payment)
        self._refused(story, f"goods kept at {cast.SITES[1]}", Refusal.OTHER_SITE, story.barcode(elsewhere))
        self._collect(story, address)
        return story

    def _chain(self) -> None:
        self.tell.chapter("A private chain")
        self.stage.start_chain()
        chain = self.stage.ready["chain"]
        self.tell.good(
            f"a bootnode, {len(chain['sealers'])} sealers and {len(chain['rpc'])} RPC nodes; every node advances"
        )
        self.tell.fact("chain id", chain["chain_id"])
        self.tell.fact("genesis", chain["genesis_hash"])

    def _contracts(self) -> None:
        self.tell.chapter("Contracts, cloud, gateway, web application")
        with beside() as pool:
            deploying = pool.submit(self._deploy)
            self.stage.start_cloud()  # by this thread: a process ends with the thread that started it
            self.tell.good("IoT cloud: certificate authority, MQTT broker with mutual TLS, shadow service")
            self.stage.start_gateway()
            self.tell.good("gateway: Nginx lets devices ask the chain what the contracts answer, and nothing else")
            deployed = deploying.result()
        self.tell.good("Sale, SaleFactory and DeviceRegistry are deployed")
        self.tell.fact("factory", deployed.factory)
        self.stage.start_web(cast.THING)
        self.tell.good(f"web application: {self.stage.ready['web']['url']}")

    def _deploy(self) -> Deployment:
        cast.make_admin(self.stage)
        return self.stage.deploy()

    def _people(self) -> Story:
        self.tell.chapter("A seller, a buyer, an operator and a door")
        seller, buyer, operator = cast.make_people(self.stage, 3 * PRICE_ETH)
        sites = cast.open_sites(self.stage)
        device = cast.enrol_pi(self.stage, operator, sites[0])
        self.stage.start_pi(cast.THING)
        self.tell.good(f"{cast.OPERATOR} runs {' and '.join(cast.SITES)}")
        self.tell.good(f"the Pi {cast.THING} is device {device} at {cast.SITES[0]}: its keys never left it")
        return Story(self.stage, seller, buyer, operator, sites)

    def _sell(self, story: Story) -> str:
        self.tell.chapter("The seller offers a Nimbus alpha (Table 2)")
        page = story.sell(story.sites[0])
        address = page["contract"]
        item = story.sale(address, node=1).get_item()
        expect((item.make, item.model, item.year) == ("Nimbus", "alpha", 2019), f"another node tells {item}")
        expect(not item.sold and item.owner == story.seller.address, f"it is listed wrongly: {item}")
        self.tell.good("the form became a contract of its own; another node tells the same item")
        self._hashes(page)
        self.tell.fact("contract", address)
        self._item(item)
        return address

    def _sell_others(self, story: Story) -> tuple[str, str]:
        numbers = zip(story.sites, ("4AA7", "4AA8"), strict=True)
        offers = [story.offer(site, number=number, price="1") for site, number in numbers]
        unpaid, elsewhere = [story.listed(offer)["contract"] for offer in offers]
        self.tell.say(f"(and two more that the story needs: one nobody pays, one kept at {cast.SITES[1]})")
        return unpaid, elsewhere

    def _buy(self, story: Story, address: str) -> None:
        self.tell.chapter(f"The buyer pays {PRICE_ETH} ETH and gets a barcode (Table 3)")
        seller, buyer = story.balance(story.seller.address), story.balance(story.buyer.address)
        page = story.buy(address)
        paid = story.balance(story.seller.address) - seller
        spent = buyer - story.balance(story.buyer.address)
        expect(paid == PRICE_ETH * 10**18, f"the seller got {from_wei(paid, 'ether')} ETH")
        expect(0 < spent - paid < 10**16, f"the buyer spent {from_wei(spent, 'ether')} ETH")
        item = story.sale(address, node=1).get_item()
        expect(item.sold and item.buyer == story.buyer.address, f"it is not sold to the buyer: {item}")
        self.tell.good(f"the seller has {from_wei(paid, 'ether')} ETH more, the buyer as much less and the gas")
        self._hashes(page)
        self._item(item)
        self.tell.fact("receipt", f"{self.stage.ready['web']['url']}{story.receipt(address)}")

    def _refuse_before(self, story: Story, address: str, unpaid: str) -> None:
        self.tell.chapter("The door refuses what it must, and the gate does not move")
        voucher = read_voucher(story, address)
        stranger = Account.create()
        foreign = sign_voucher(
            stranger.key, chain_id=voucher.chain_id, sale=address, attempt=0, expires_at=voucher.expires_at
        )  # fmt: skip
        for_unpaid = sign_voucher(
            stranger.key, chain_id=voucher.chain_id, sale=unpaid, attempt=0, expires_at=voucher.expires_at
        )  # fmt: skip
        self._refused(story, "another buyer's address", Refusal.WRONG_BUYER, draw_barcode(encode_voucher(foreign)))
        changed = draw_barcode(encode_voucher(with_one_bit_changed(voucher)))
        self._refused(story, "one bit of the barcode changed", Refusal.BAD_SIGNATURE, changed)
        unpaid_code = draw_barcode(encode_voucher(for_unpaid))
        self._refused(story, "a sale that nobody paid", Refusal.NOT_PAID, unpaid_code)

    def _refused(self, story: Story, what: str, reason: Refusal, picture: bytes) -> None:
        opened = story.openings()
        outcome, detail = story.show(picture, re.sub(r"\W+", "-", what) + ".png")
        expect(outcome == reason, f"{what}: the door said {outcome} ({detail}), not {reason}")
        expect(story.openings() == opened, f"{what}: the gate opened")
        self.tell.refused(what, line_for(reason))

    def _collect(self, story: Story, address: str) -> None:
        self.tell.chapter("The door scans the receipt and opens, once (Table 4)")
        picture = story.barcode(address)
        story.show(picture, "receipt.png")
        record, steps = story.release(address)
        expect(story.openings() == 1, f"the gate counted {story.openings()} openings, not 1")
        expect(story.sale(address).status().name == "RELEASED", "the chain does not say Released")
        self.tell.good("ownership verified; released on chain; the shadow's delta came; the gate opened; completed")
        at = {state: when for when, state, _, _ in steps}
        spent = record.marks
        self.tell.fact("picture to owned", f"{spent['read'] + spent['verify']:.0f} ms")
        self.tell.fact("checks before sending", f"{spent['ready']:.0f} ms")
        self.tell.fact(
            "blocks (chain's time)", f"{at['consumed'] - at['submitted']:.1f} s for {story.confirmations} confirmations"
        )
        self.tell.fact("proven to pulse", f"{(at['actuated'] - at['consumed']) * 1000:.0f} ms through the cloud")
        self.tell.fact("scan to open", f"{at['sensed'] - record.started:.1f} s")
        self._refused(story, "the same barcode again", Refusal.COLLECTED, picture)

    def _hashes(self, page: dict[str, str]) -> None:
        for name, words in HASHES.items():
            self.tell.fact(words, page[name])

    def _item(self, item: Item) -> None:
        price = from_wei(item.price_wei, "ether")
        self.tell.fact("getItem", f"{item.make}, {item.model}, {item.year}, {price} ETH, sold: {item.sold}")


def read_voucher(story: Story, address: str) -> Voucher:
    """Read the receipt's picture as a scanner does."""
    file = story.stage.path / "demo" / "voucher.png"
    file.write_bytes(story.barcode(address))
    text = scan_file(file).reading.text
    file.unlink()
    if text is None:
        raise ProcessFailed("the receipt's barcode cannot be read")
    return decode_voucher(text)


def with_one_bit_changed(voucher: Voucher) -> Voucher:
    """Return the voucher with one bit of its signature flipped."""
    signature = bytearray(voucher.signature)
    signature[10] ^= 1
    return Voucher(voucher.chain_id, voucher.sale, voucher.buyer, voucher.expires_at, bytes(signature))
