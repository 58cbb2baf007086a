"""The bench measures the functions and stages that there are, once each: what it finds is not judged here."""

from pathlib import Path

from lambdas.stages.catalogue import ORDINARY
from laptop.bench import cold_start, images, memory, pictures
from laptop.bench.pictures import Picture


def quiet(_what: str) -> None:
    """Say nothing."""


def small(photos: Path) -> Picture:
    """A photograph that costs next to nothing."""
    return pictures.resized(pictures.photographs(photos)[0], 0.3)


def test_every_function_that_is_started_cold_answers() -> None:
    found = cold_start.findings(quiet, rounds=1)

    names = {*(stage.name for stage in ORDINARY), "api", "start_execution"}
    assert {finding.name for finding in found if finding.limit} == {
        f"cold start {name}, to its first answer" for name in names
    }
    assert all(finding.value > 1 for finding in found)


def test_every_stage_is_measured_and_the_naive_design_beside_them(photos: Path) -> None:
    measured = images.measure(small(photos), rounds=1)

    assert all(measured.stage(stage.name) > 0 for stage in ORDINARY)
    assert measured.user > 0
    assert images.naive_ratio(measured).user > 0


def test_every_stage_has_a_peak(photos: Path) -> None:
    assert memory.peaks(small(photos)).keys() == {stage.name for stage in ORDINARY}
