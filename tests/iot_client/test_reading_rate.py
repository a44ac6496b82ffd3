"""The reading rate over pictures as people hold them up, in ranges fixed before measuring."""

import os

import pytest

from tests.iot_client.reading_rate import main, measure


@pytest.mark.slow
def test_spoilt_pictures_are_read_and_none_wrongly() -> None:
    """Forty seeded pictures: at least 95 %, and never another text than the barcode's."""
    rate = measure(40, seed=7)
    assert rate.wrong == 0
    assert rate.share >= 0.95, rate


@pytest.mark.slow
def test_the_program_prints_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    """A person repeats the figures by a seed; one process and several read the same pictures."""
    assert main(["--pictures", "2", "--seed", "1"]) == 0
    seed, rate, *_ = capsys.readouterr().out.splitlines()
    assert seed == "seed 1"
    assert rate.startswith(f"read {measure(2, seed=1).read} of 2")


@pytest.mark.long
def test_ninety_seven_percent_of_a_thousand() -> None:
    """A thousand seeded pictures: at least 97 %, none wrongly."""
    rate = measure(1_000, seed=1, processes=os.cpu_count() or 1)
    assert rate.wrong == 0
    assert rate.share >= 0.97, rate
