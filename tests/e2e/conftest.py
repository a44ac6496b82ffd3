"""One run of the demo's story, on free ports, which the tests then look into and go on with."""

import io
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from scripts.story.narration import Narrator
from scripts.story.people import Story
from scripts.story.ports import Ports
from scripts.story.processes import RunFolder
from scripts.story.stage import Stage
from scripts.story.tale import Tale


@dataclass(frozen=True)
class Told:
    """The story at its end, and what the terminal showed."""

    story: Story
    terminal: str
    openings: int


@pytest.fixture(scope="package")
def told() -> Iterator[Told]:
    """Play the whole story once; everything keeps running for the tests."""
    with TemporaryDirectory(prefix="le", dir="/tmp") as home, RunFolder(Path(home)) as folder:
        out = io.StringIO()
        story = Tale(Stage(folder, Ports.any_free()), Narrator(out)).play()
        yield Told(story, out.getvalue(), story.openings())
        story.leave()


@pytest.fixture
def story(told: Told) -> Story:
    """The people and the door of the story."""
    return told.story


@pytest.fixture(scope="package")
def shelf() -> list[str]:
    """What was paid and not asked for yet."""
    return []


@pytest.fixture
def paid_order(story: Story, shelf: list[str]) -> str:
    """A sale that is paid and waits at the story's door."""
    return paid(story, shelf)


def paid(story: Story, shelf: list[str]) -> str:
    """Take one from the shelf; it is filled when it is empty."""
    if not shelf:
        shelf.extend(paid_orders(story))
    return shelf.pop()


def paid_orders(story: Story, count: int = 5) -> list[str]:
    """Sell and buy some items at once: many are settled as soon as one is."""
    offers = [story.offer(story.sites[0], number=f"P{secrets.token_hex(4)}", price="0.5") for _ in range(count)]
    addresses = [story.listed(offer)["contract"] for offer in offers]
    for payment in [story.pay(address) for address in addresses]:
        story.paid(payment)
    return addresses
