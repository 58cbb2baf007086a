"""The state machine's file against the catalogue, the errors and the dead letter: forgetting one of them fails here."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonata
import pytest

from lambdas.adapters import job_items, keys
from lambdas.jobs import errors
from lambdas.jobs.status import Status
from lambdas.stages.catalogue import BY_NAME, LAST, ORDINARY, STAGES, Stage
from laptop.bench import transitions

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
    """Names of the states that may come next, by success, by a choice or by a catch."""
    named = {state[name] for name in ("Next", "Default") if name in state}
    return named | {rule["Next"] for rules in ("Catch", "Choices") for rule in state.get(rules, [])}


def test_last_stage_of_the_catalogue_ends_the_execution() -> None:
    # Not before a state of its own that says so: every job would pay for entering it.
    assert [name for name, state in DEFINITION["States"].items() if state.get("End")] == [LAST.state]


def test_placeholders_are_substituted_by_the_stack() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", FILE.read_text()))

    assert used == {stage.placeholder for stage in STAGES} | {
        "CleanUpFunctionArn",
        "SettleFailedFunctionArn",
        "DeadLetterQueueUrl",
        "JobTableName",
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


RETRIERS = [
    (
        {
            "InvalidImage",
            "ImageNotFound",
            "InvalidJob",
            "ArtefactLost",
            "DeadlineExceeded",
            "JobCancelled",
            "JobSuperseded",
        },
        0,
    ),
    ({"Lambda.TooManyRequestsException"}, 30),
    (
        {
            "TransientError",
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.ClientExecutionTimeoutException",
        },
        10,
    ),
    (
        {
            "StageTimeout",
            "States.Timeout",
            "Sandbox.Timedout",
            "Lambda.Unknown",
            "Runtime.ExitError",
            "Runtime.OutOfMemory",
        },
        1,
    ),
    ({"States.ALL"}, 2),
]
"""By whom an error is matched first, and how often it is tried again: what docs/architecture.md says."""


FUNCTIONS = {name: task for name, task in TASKS.items() if task["Resource"] == "arn:aws:states:::lambda:invoke"}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_is_tried_again_by_the_same_rules(name: str) -> None:
    assert [(set(retrier["ErrorEquals"]), retrier["MaxAttempts"]) for retrier in TASKS[name]["Retry"]] == RETRIERS


def expressions(value: Any) -> Iterator[str]:
    """Every JSONata expression in a part of the definition."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from expressions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from expressions(inner)
    elif isinstance(value, str) and value.startswith("{%"):
        yield value.removeprefix("{%").removesuffix("%}").strip()


EVERYTHING = {
    "input": {
        "owner": "o",
        "jobId": "j",
        "attempt": 1,
        "stage": "codes",
        "errorClass": "X",
        "message": "m",
        "cause": "c",
        "letter": {"jobId": "j"},
    },
    "result": {"Payload": {"answer": 42}},
    "context": {"Execution": {"Id": "arn"}, "State": {"RetryCount": 2}},
}


@pytest.mark.parametrize("error_output", [{"Error": "X", "Cause": "because"}, {"Error": "States.Timeout"}])
@pytest.mark.parametrize("expression", sorted(set(expressions(DEFINITION))))
def test_expression_has_a_value_whatever_the_error_says(expression: str, error_output: dict[str, str]) -> None:
    # One that has none fails the execution where nothing can catch it.
    states = EVERYTHING | {"errorOutput": error_output}

    assert jsonata.Jsonata(expression).evaluate(None, jsonata_bindings(states)) is not None


def jsonata_bindings(states: dict[str, Any]) -> Any:
    frame = jsonata.Jsonata("1").create_frame()
    frame.bind("states", states)
    return frame


ADDING = {
    "SettleFailed": "{% $merge([$states.input, $states.result.Payload]) %}",
    "Inspect": "{% $merge([$states.input, { 'extras': $states.result.Payload.extras = true }]) %}",
}
"""What does not only pass on what it was given: the letter, and whether there is more to do than usual."""
PARALLEL = ("Analyse", "AnalyseMore")


def test_passes_on_what_the_next_state_needs() -> None:
    for name, task in TASKS.items():
        assert task["Output"] == ADDING.get(name, "{% $states.input %}"), name
    for name in PARALLEL:
        assert STATES[name]["Output"] == "{% $states.input %}"


def test_permanent_errors_are_never_tried_again() -> None:
    outcomes = {"JobCancelled", "JobSuperseded", "DeadlineExceeded", "ArtefactLost"}
    permanent = {cls.__name__ for cls in errors.InvalidInput.__subclasses__()} | outcomes

    for name, task in FUNCTIONS.items():
        never = {error for retrier in task["Retry"] if not retrier["MaxAttempts"] for error in retrier["ErrorEquals"]}
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

    assert {name for name in used if not re.match(r"(States|Lambda|Sandbox|Runtime|DynamoDB)\.", name)} <= ours


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if state["Type"] in {"Task", "Parallel"}])
def test_everything_that_can_fail_is_caught(name: str) -> None:
    assert any("States.ALL" in catch["ErrorEquals"] for catch in STATES[name]["Catch"])


@pytest.mark.parametrize("name", ["Inspect", "Analyse", "AnalyseMore", "Report"])
def test_a_cancel_leads_to_the_clean_up(name: str) -> None:
    by_error = {error: catch["Next"] for catch in STATES[name]["Catch"] for error in catch["ErrorEquals"]}

    assert by_error["JobCancelled"] == "CleanUp"
    assert by_error["JobSuperseded"] == "Superseded"
    assert by_error["States.ALL"] == "SettleFailed"


def test_branch_fails_in_a_state_that_names_its_stage() -> None:
    for branch in [branch for name in PARALLEL for branch in STATES[name]["Branches"]]:
        stage = BY_NAME[branch["StartAt"].lower()]
        failed = branch["States"][f"{stage.state}Failed"]
        assert failed["Cause"] == f"{{% '{stage.name}: ' & $states.input.cause %}}"
        assert branch["States"][stage.state]["Catch"][0]["Next"] == f"{stage.state}Failed"


def test_dead_letter_is_sent_as_it_was_handed_on_by_what_settled_the_job() -> None:
    assert STATES["DeadLetter"]["Arguments"]["MessageBody"] == "{% $states.input.letter %}"
    assert STATES["SettleFailed"]["Next"] == "DeadLetter"
    assert "'executionArn': $states.context.Execution.Id" in STATES["SettleFailed"]["Arguments"]["Payload"]


def test_letter_that_is_sent_is_not_owed_any_more() -> None:
    arguments = STATES["LetterSent"]["Arguments"]
    removed = {name.strip() for name in arguments["UpdateExpression"].removeprefix("REMOVE").split(",")}

    assert STATES["DeadLetter"]["Next"] == "LetterSent"
    assert removed == {job_items.OWED_LETTER, keys.WATCH_SHARD, keys.DUE_AT}
    assert arguments["Key"].keys() == {keys.OWNER, keys.JOB_ID}
    assert arguments["ExpressionAttributeValues"][":failed"] == {"S": Status.FAILED}


def test_happy_way_enters_nothing_but_its_stages() -> None:
    # Each state that is entered is billed: one for each stage, and Analyse around most of them.
    entered = transitions.when_all_goes_well(DEFINITION)

    assert sorted(entered) == sorted(["Analyse", "MoreAsked", *(stage.state for stage in ORDINARY)])


def test_stages_that_few_jobs_want_are_where_the_others_do_not_come() -> None:
    extras = {stage.state for stage in STAGES if stage.is_extra}

    assert {branch["StartAt"] for branch in STATES["AnalyseMore"]["Branches"]} == extras
    assert not {branch["StartAt"] for branch in STATES["Analyse"]["Branches"]} & extras


@pytest.mark.parametrize(("payload", "expected"), [({"extras": True}, True), ({"extras": False}, False), ({}, False)])
def test_inspect_says_whether_there_are_extras_and_an_older_one_that_does_not_means_none(
    payload: dict[str, bool], expected: bool
) -> None:
    # While a new version is deployed, a function of the old one may still answer.
    expression = ADDING["Inspect"].removeprefix("{%").removesuffix("%}")
    ids = {"owner": "o", "jobId": "j", "attempt": 1}
    states = {"input": ids, "result": {"Payload": payload}}
    output = jsonata.Jsonata(expression).evaluate(None, jsonata_bindings(states))
    assert output == ids | {"extras": expected}

    (choice,) = STATES["MoreAsked"]["Choices"]
    condition = choice["Condition"].removeprefix("{%").removesuffix("%}")
    assert jsonata.Jsonata(condition).evaluate(None, jsonata_bindings({"input": output})) is expected
    assert (choice["Next"], STATES["MoreAsked"]["Default"]) == ("AnalyseMore", "Report")
