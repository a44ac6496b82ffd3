"""The whole system under chaos: afterwards the auditor finds nothing, and nobody was treated as they must not be."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.chaos import run
from tests.e2e.wishes import KINDS, wishes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.mark.row("B21", "B23")
def test_the_auditor_finds_nothing_after_a_chaos(capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty orders of every kind by six Pis, while processes are killed and hung, and links cut."""
    with TemporaryDirectory(prefix="le", dir="/tmp") as home:
        status = run(Path(home), orders=20, doors=6, seed=1)
    assert status == 0, capsys.readouterr().out


@pytest.mark.long
def test_the_auditor_finds_nothing_after_a_thousand_orders(capsys: pytest.CaptureFixture[str]) -> None:
    """The long form."""
    with TemporaryDirectory(prefix="le", dir="/tmp") as home:
        status = run(Path(home), orders=1_000, doors=10, seed=2)
    assert status == 0, capsys.readouterr().out


def test_a_seed_replays_its_orders() -> None:
    """The same seed is the same orders, another one is not, and every kind is among the first."""
    assert list(wishes(100, 7)) == list(wishes(100, 7)) != list(wishes(100, 8))
    assert {wish.kind for wish in wishes(len(KINDS), 7)} == set(KINDS)
