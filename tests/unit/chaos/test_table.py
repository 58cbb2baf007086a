"""The verdict of a run, in words."""

from dataclasses import replace

import pytest

from laptop.chaos import table
from laptop.chaos.history import Fault
from laptop.chaos.invariants import Violation
from laptop.chaos.kinds import at_least
from laptop.chaos.table import Outcome
from tests.unit.chaos.histories import BAD, GOOD, a_good_run

VIOLATION = Violation(invariant="I6", job=BAD, expected="not to fail", found="UnexpectedError: why")


def outcome(**changed: object) -> Outcome:
    """A run of which nothing was wanted but the faults that it had."""
    good = Outcome(
        history=a_good_run(),
        violations=[],
        wanted_kinds=frozenset({"fails-for-ever", "pause"}),
        at_least=1,
        seconds=90.0,
        settled=True,
    )
    return replace(good, **changed)  # type: ignore[arg-type]


def test_outcome_without_violations_is_good() -> None:
    assert outcome().is_good


@pytest.mark.parametrize(
    "changed", [{"violations": [VIOLATION]}, {"settled": False}, {"at_least": 2}, {"wanted_kinds": frozenset({"hang"})}]
)
def test_outcome_that_shows_less_than_it_should_is_not_good(changed: dict[str, object]) -> None:
    assert not outcome(**changed).is_good


def test_text_tells_what_happened_and_how_sure_that_makes() -> None:
    said = {line[:30].strip(): line[30:] for line in table.text(outcome()).splitlines()}
    assert said["seed"] == "7"
    assert said["FAILED"] == "1"
    assert said["pause"] == "1"
    assert said["duplicates absorbed"] == "1"
    assert said["redrives"] == "1 asked, 1 accepted; 1 attempts"
    assert said["cancels"] == "2 asked, 1 accepted, 1 answered 409; 1 jobs CANCELLED"
    assert said["violations"] == "0"
    assert "at most 3/4 = 75.0% of jobs with 95 % confidence" in said["so the rate of violations is"]


def test_text_of_too_few_faults_says_so() -> None:
    assert "fewer than 3" in table.text(outcome(at_least=3))


def test_description_of_a_violation_has_its_faults_and_says_what_runs_it_again() -> None:
    said = table.describe(VIOLATION, a_good_run(), table.command(7, 300, frozenset({"pause"})))
    assert "fails-for-ever report" in said
    assert "UnexpectedError in report" in said
    assert said.endswith("make chaos SEED=7 JOBS=300 KINDS=pause")


def test_settling_is_counted_from_the_last_fault_of_a_job_or_of_all() -> None:
    faults = [Fault(at=10.5, kind="pause", job=GOOD), Fault(at=11.0, kind="emulator-restarted", until=12.5)]
    waits = table.settling_seconds(replace(a_good_run(), faults=faults))
    assert waits[GOOD] == pytest.approx(0.5)
    assert waits[BAD] == 0.0


@pytest.mark.parametrize(("jobs", "expected"), [(1, 1), (24, 1), (60, 2), (300, 10), (1000, 10)])
def test_at_least_grows_with_the_jobs_up_to_ten(jobs: int, expected: int) -> None:
    assert at_least(jobs) == expected
