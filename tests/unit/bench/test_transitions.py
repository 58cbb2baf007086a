"""Counting the states that a job enters."""

from typing import Any

import pytest

from lambdas.stages.catalogue import ORDINARY
from laptop.bench import transitions
from laptop.bench.counts import MAX_TRANSITIONS

PASS: dict[str, Any] = {"Type": "Pass"}


def test_ordinary_job_enters_at_most_nine_states_and_each_stage_once() -> None:
    entered = transitions.when_all_goes_well(transitions.definition())
    assert len(entered) <= MAX_TRANSITIONS
    assert {stage.state for stage in ORDINARY} <= set(entered)
    assert len(set(entered)) == len(entered)


def test_when_all_goes_well_counts_every_branch() -> None:
    branches = [{"StartAt": name, "States": {name: PASS}} for name in ("A", "B")]
    machine = {
        "StartAt": "Both",
        "States": {"Both": {"Type": "Parallel", "Branches": branches, "Next": "End"}, "End": PASS, "Never": PASS},
    }
    assert transitions.when_all_goes_well(machine) == ["Both", "A", "B", "End"]


def test_when_all_goes_well_takes_what_an_ordinary_job_takes_at_a_choice() -> None:
    choice = {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "More"}], "Default": "End"}
    machine = {"StartAt": "More?", "States": {"More?": choice, "More": {**PASS, "Next": "End"}, "End": PASS}}
    assert transitions.when_all_goes_well(machine) == ["More?", "End"]


@pytest.mark.parametrize("kind", ["Choice", "Map"])
def test_when_all_goes_well_refuses_what_depends_on_the_job(kind: str) -> None:
    with pytest.raises(ValueError, match=f"X is a {kind}"):
        transitions.when_all_goes_well({"StartAt": "X", "States": {"X": {"Type": kind}}})


def test_in_history_names_the_states_in_order() -> None:
    events = [
        {"type": "ExecutionStarted"},
        {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Inspect"}},
        {"type": "TaskStateExited", "stateExitedEventDetails": {"name": "Inspect"}},
        {"type": "SucceedStateEntered", "stateEnteredEventDetails": {"name": "Succeeded"}},
    ]
    assert transitions.in_history(events) == ["Inspect", "Succeeded"]
