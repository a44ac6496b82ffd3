"""One run of the demo's story, on free ports, which the tests then look into and go on with."""

import io
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


@pytest.fixture(scope="session")
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
