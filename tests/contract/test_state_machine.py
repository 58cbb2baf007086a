"""The state machine's file against the catalogue, the errors and the dead letter: forgetting one of them fails here."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdas.jobs import dead_letter, errors
from lambdas.jobs.model import Failure
from lambdas.stages.catalogue import BY_NAME, LAST, STAGES, Stage

FILE = Path(__file__).parents[2] / "statemachine" / "image_analysis.asl.json"
DEFINITION: dict[str, Any] = json.loads(FILE.read_text())


def machines(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The machine itself and every branch in it."""
    yield definition
    for state in definition["States"].values():
        for branch in state.get("Branches", []):
            yield from machines(branch)


STATES: dict[str, dict[str, Any]] = {
    name: state for machine in machines(DEFINITION) for name, state in machine["States"].items()
}
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}


def next_states(state: dict[str, Any]) -> set[str]:
    """Names of the states that may come next, by success or by a catch."""
    return ({state["Next"]} if "Next" in state else set()) | {catch["Next"] for catch in state.get("Catch", [])}


def test_last_stage_of_the_catalogue_is_the_last_before_the_end() -> None:
    assert TASKS[LAST.state]["Next"] == "Succeeded"
    assert [name for name, state in STATES.items() if state.get("Next") == "Succeeded"] == [LAST.state]


def test_placeholders_are_substituted_by_the_stack() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", FILE.read_text()))

    assert used == {stage.placeholder for stage in STAGES} | {
        "CleanUpFunctionArn",
        "SettleFailedFunctionArn",
        "DeadLetterQueueUrl",
    }


def test_every_next_exists_and_every_state_is_reachable() -> None:
    for machine in machines(DEFINITION):
        reached: set[str] = set()
        waiting = {machine["StartAt"]}
        while waiting:
            name = waiting.pop()
            reached.add(name)
            waiting |= next_states(machine["States"][name]) - reached
        assert reached == set(machine["States"])


def test_every_state_says_what_it_is_for() -> None:
    assert [name for name, state in STATES.items() if not state.get("Comment")] == []


def test_machine_and_every_task_have_a_timeout() -> None:
    assert DEFINITION["TimeoutSeconds"]
    assert [name for name, state in TASKS.items() if not state.get("TimeoutSeconds")] == []


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_task_waits_longer_than_its_function_runs(stage: Stage) -> None:
    # Else the machine gives up on a function that is still working, and a retry works beside it.
    assert TASKS[stage.state]["TimeoutSeconds"] > stage.timeout_seconds


def test_every_retry_has_jitter_and_a_ceiling() -> None:
    for name, task in TASKS.items():
        for retrier in task["Retry"]:
            if retrier["MaxAttempts"]:
                assert retrier["JitterStrategy"] == "FULL", name
                assert retrier["MaxDelaySeconds"] <= 60, name


def test_permanent_errors_are_never_tried_again() -> None:
    outcomes = {"JobCancelled", "JobSuperseded"}
    permanent = {cls.__name__ for cls in errors.InvalidInput.__subclasses__()} | outcomes

    for name, task in TASKS.items():
        if name not in {"DeadLetter", "SettleFailed"}:
            never = {
                error for retrier in task["Retry"] if not retrier["MaxAttempts"] for error in retrier["ErrorEquals"]
            }
            assert never == permanent, name
            assert task["Retry"][0]["MaxAttempts"] == 0, f"{name}: the first retrier that matches decides"


def test_every_name_in_retry_and_catch_is_ours_or_the_services() -> None:
    ours = {name for name, cls in vars(errors).items() if isinstance(cls, type) and issubclass(cls, errors.JobError)}
    used = {
        error
        for state in STATES.values()
        for rule in [*state.get("Retry", []), *state.get("Catch", [])]
        for error in rule["ErrorEquals"]
    }

    assert {name for name in used if not re.match(r"(States|Lambda|Sandbox|Runtime)\.", name)} <= ours


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if state["Type"] in {"Task", "Parallel"}])
def test_everything_that_can_fail_is_caught(name: str) -> None:
    assert any("States.ALL" in catch["ErrorEquals"] for catch in STATES[name]["Catch"])


@pytest.mark.parametrize("name", ["Inspect", "Analyse", "Report"])
def test_a_cancel_leads_to_the_clean_up(name: str) -> None:
    by_error = {error: catch["Next"] for catch in STATES[name]["Catch"] for error in catch["ErrorEquals"]}

    assert by_error["JobCancelled"] == "CleanUp"
    assert by_error["JobSuperseded"] == "Superseded"
    assert by_error["States.ALL"] == "DescribeFailure"


def test_branch_fails_in_a_state_that_names_its_stage() -> None:
    for branch in STATES["Analyse"]["Branches"]:
        stage = BY_NAME[branch["StartAt"].lower()]
        failed = branch["States"][f"{stage.state}Failed"]
        assert failed["Cause"] == f"{{% '{stage.name}: ' & $states.input.cause %}}"
        assert branch["States"][stage.state]["Catch"][0]["Next"] == f"{stage.state}Failed"


def test_dead_letter_has_the_fields_of_the_envelope() -> None:
    envelope = json.loads(
        dead_letter.DeadLetter(
            job_id="j", owner="o", attempt=1, failure=Failure(error_class="X", message="x"), failed_at="t"
        ).to_json()
    )
    by_hand = STATES["DeadLetter"]["Arguments"]["MessageBody"]

    assert set(by_hand) == set(envelope)
    assert by_hand["schemaVersion"] == dead_letter.SCHEMA_VERSION


def test_redrive_can_help_says_the_same_in_both_places() -> None:
    expression = STATES["DescribeFailure"]["Output"]["redriveCanHelp"]
    cannot = set(re.findall(r"'(\w+)'", expression))
    leads_there = {"InvalidImage", "ImageNotFound", "InvalidJob", "TransientError", "StageTimeout", "UnexpectedError"}

    assert cannot == {name for name in leads_there if not errors.redrive_can_help(name)}
    assert errors.redrive_can_help("States.Timeout")


def test_happy_way_has_at_most_nine_transitions() -> None:
    # Each is billed: the start, then one for each state entered.
    entered = 1 + 1 + 1 + len(STATES["Analyse"]["Branches"]) + 1

    assert 1 + entered <= 9
