"""Each invariant is violated by a made-up history: a check that cannot fail is worth nothing."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from laptop.chaos.history import Call, Execution, Fault, History, Seen, Wanted
from laptop.chaos.invariants import INVARIANTS, violations
from tests.unit.chaos.histories import (
    BAD,
    GOOD,
    POISON,
    STOPPED,
    TWICE,
    a_good_run,
    a_result,
    execution,
    letter,
    row,
    stage,
)

Spoil = Callable[[History], History]


def with_row(job: str, **changed: Any) -> Spoil:
    """Change what the row says in the end, and that it was seen."""

    def spoil(history: History) -> History:
        last = {**deepcopy(dict(history.rows[job])), **changed}
        seen = [*history.seen[job][:-1], Seen(at=99.0, row=last)]
        return replace(history, rows={**history.rows, job: last}, seen={**history.seen, job: seen})

    return spoil


def with_life(job: str, *rows: dict[str, Any]) -> Spoil:
    """Give a job another life."""
    return lambda history: replace(
        history,
        rows={**history.rows, job: rows[-1]},
        seen={**history.seen, job: [Seen(at=10.0 + at, row=one) for at, one in enumerate(rows)]},
    )


def with_execution(name: str, status: str, error: str | None = None) -> Spoil:
    """Let an execution have ended otherwise, or have been another one."""
    one = Execution(name=name, status=status, error=error)
    return lambda history: replace(history, executions={**history.executions, name: one})


def with_letters(*letters: dict[str, Any]) -> Spoil:
    """Let there be these letters, and that of the poisoned message."""
    poisoned = letter(None, body=f"{POISON} is not from the API")
    return lambda history: replace(history, letters=[*letters, poisoned])


def with_result(job: str, **changed: Any) -> Spoil:
    """Let the API have answered otherwise."""
    return lambda history: replace(history, results={**history.results, job: a_result(**changed)})


def with_calls(*calls: Call) -> Spoil:
    """Let something else have been asked of the API as well."""
    return lambda history: replace(history, calls=[*history.calls, *calls])


def without(field: str, job: str) -> Spoil:
    """Forget about a job."""

    def spoil(history: History) -> History:
        kept = {name: value for name, value in getattr(history, field).items() if name != job}
        return replace(history, **{field: kept})

    return spoil


def other_result(job: str) -> History:
    """A stage is stored by two tries, one after the other."""
    stages = {"inspect": stage("DONE"), "report": stage("PENDING")}
    again = {**stages, "inspect": stage("DONE", folder="f-2")}
    life = [row(job, "RUNNING", 3, "DONE", "PENDING", stages=stages), row(job, "RUNNING", 4, "", "", stages=again)]
    return with_life(job, *life, row(job, "SUCCEEDED", 6, "", "", stages={**again, "report": stage("DONE")}))(
        a_good_run()
    )


def redriven(writer: str) -> Spoil:
    """A stage of the second attempt is stored by the try with this token; that of the first attempt has `one`."""

    def inspect(status: str, attempt: int, report: str = "PENDING") -> dict[str, Any]:
        return {"inspect": stage(status, attempt=attempt), "report": stage(report)}

    error = {"class": "ExecutionAborted", "message": "", "stage": None}
    one, two = {"begin-inspect": "one"}, {"begin-inspect": "two"}
    return with_life(
        TWICE,
        row(TWICE, "QUEUED", 1, "", "", stages=inspect("PENDING", 1)),
        row(TWICE, "RUNNING", 2, "", "", stages=inspect("RUNNING", 1), tokens=one),
        row(TWICE, "FAILED", 3, "", "", stages=inspect("RUNNING", 1), tokens=one, error=error),
        row(TWICE, "QUEUED", 4, "", "", stages=inspect("PENDING", 2), tokens=one, attempt=2),
        row(TWICE, "RUNNING", 5, "", "", stages=inspect("RUNNING", 2), tokens=two, attempt=2),
        row(TWICE, "RUNNING", 6, "", "", stages=inspect("DONE", 2), tokens=two | {"end-inspect": writer}, attempt=2),
        row(TWICE, "SUCCEEDED", 9, "", "", stages=inspect("DONE", 2, "DONE"), attempt=2),
    )


def died_thrice(history: History) -> History:
    """A stage dies, and dies, and is tried again and again."""
    stages = {"inspect": stage("DONE"), "report": stage("FAILED", tries=3)}
    died = with_row(BAD, error={"class": "Runtime.ExitError", "message": "", "stage": "report"}, stages=stages)
    return replace(died(history), faults=[Fault(at=11.0, kind="dies-for-ever", job=BAD, place="report")])


OTHER_FAILURE = {"class": "StageTimeout", "message": "Too slow.", "stage": "report"}
SPOILED: list[tuple[str, str, Spoil]] = [
    ("I1", "an end", with_row(GOOD, status="RUNNING")),
    ("I1", "an end", without("rows", BAD)),
    ("I1", "asked for", without("wanted", GOOD)),
    ("I1", "runs on", with_execution(execution(GOOD), "RUNNING")),
    ("I1", "runs on", with_execution(execution(TWICE), "RUNNING")),
    ("I1", "agrees with SUCCEEDED", with_execution(execution(GOOD), "FAILED", "UnexpectedError")),
    ("I1", "agrees with FAILED", with_execution(execution(BAD), "SUCCEEDED")),
    ("I1", "agrees with CANCELLED", with_execution(execution(STOPPED), "FAILED", "StageTimeout")),
    ("I1", "attempts that the row knows", with_execution(execution(GOOD, 2), "SUCCEEDED")),
    ("I1", "attempts that the row knows", with_execution(execution("chaos-7-0099"), "SUCCEEDED")),
    ("I1", "is empty", lambda history: replace(history, queues={"JobQueueUrl": 2})),
    ("I2", "one result of inspect", lambda _: other_result(GOOD)),
    ("I2", "a result of inspect by a try of attempt 2", redriven("one")),
    ("I2", "a report that can be read", with_result(GOOD, trouble="NotFoundError: gone")),
    ("I2", "a report that can be read", without("results", GOOD)),
    ("I2", "a report about", with_result(GOOD, image="cd" * 32)),
    ("I2", "the analyses", with_result(GOOD, analyses=frozenset())),
    ("I2", "the pictures", with_result(GOOD, pictures=frozenset({"preview"}))),
    ("I2", "every file that the row names", lambda history: replace(history, objects={})),
    ("I2", "every stage done", with_row(GOOD, stages={"inspect": stage("DONE"), "report": stage("RUNNING")})),
    (
        "I3",
        "does not go down",
        with_life(
            GOOD,
            row(GOOD, "RUNNING", 3, "DONE", "PENDING"),
            row(GOOD, "RUNNING", 4, "PENDING", "PENDING"),
            row(GOOD, "SUCCEEDED", 6, "DONE", "DONE"),
        ),
    ),
    (
        "I3",
        "a change of status",
        with_life(STOPPED, row(STOPPED, "RUNNING", 3, "DONE", ""), row(STOPPED, "CANCELLED", 4, "DONE", "")),
    ),
    (
        "I3",
        "a change of status",
        with_life(GOOD, row(GOOD, "RUNNING", 1, "DONE", "DONE"), row(GOOD, "RUNNING", 2, "DONE", "DONE", attempt=2)),
    ),
    ("I4", "the cancel was accepted", with_calls(Call(at=12.0, what="cancel", job=GOOD, answer=202))),
    ("I4", "nobody has asked for", with_row(GOOD, status="CANCELLED")),
    (
        "I4",
        "nothing in the bucket",
        lambda history: replace(history, objects={**history.objects, STOPPED: ["f-1/x"]}),
    ),
    ("I5", "a dead letter of attempt 1", with_letters(letter(TWICE))),
    ("I5", "a dead letter of attempt 2", with_row(BAD, attempt=2)),
    ("I5", "a letter that says", with_letters(letter(BAD, errorClass="StageTimeout"), letter(TWICE))),
    ("I5", "a letter that names report", with_letters(letter(BAD, stage="codes"), letter(TWICE))),
    ("I5", "names the execution", with_letters(letter(BAD, executionArn=None), letter(TWICE))),
    ("I5", "what to do", with_letters(letter(BAD, next=""), letter(TWICE))),
    ("I5", "an attempt that failed", with_letters(letter(BAD), letter(TWICE), letter(GOOD))),
    ("I5", "an attempt that failed", with_letters(letter(BAD), letter(TWICE, attempt=2))),
    ("I5", "one letter of attempt 1", with_letters(letter(BAD), letter(TWICE), letter(TWICE, message="Otherwise."))),
    ("I5", "can be read", lambda history: replace(history, unreadable_letters=["{"])),
    ("I5", "a message that was sent", with_letters(letter(BAD), letter(TWICE), letter(None, body="who is this"))),
    ("I5", "could not be read", lambda history: replace(history, letters=[letter(BAD), letter(TWICE)])),
    ("I6", "not to fail", lambda history: replace(history, faults=[])),
    ("I6", "to fail only as UnexpectedError", with_row(BAD, error=OTHER_FAILURE)),
    ("I6", "at most 2 tries of report", died_thrice),
    (
        "I6",
        "cannot be done",
        lambda history: replace(history, faults=[*history.faults, Fault(at=1.0, kind="fails-for-ever", job=GOOD)]),
    ),
    (
        "I6",
        "cannot be done",
        lambda history: replace(
            history,
            wanted={
                **history.wanted,
                GOOD: Wanted(job_id=GOOD, image=None, analyses=frozenset(), fails_as=frozenset({"InvalidImage"})),
            },
        ),
    ),
    (
        "I7",
        "SUCCEEDED for good",
        with_life(
            GOOD, row(GOOD, "SUCCEEDED", 5, "DONE", "DONE"), row(GOOD, "FAILED", 6, "DONE", "DONE", error=OTHER_FAILURE)
        ),
    ),
    (
        "I7",
        "back in time",
        with_life(GOOD, row(GOOD, "RUNNING", 5, "DONE", "DONE"), row(GOOD, "SUCCEEDED", 4, "DONE", "DONE")),
    ),
    ("I7", "one for each redrive", lambda history: replace(history, calls=[])),
    (
        "I7",
        "409 to the redrive",
        with_calls(Call(at=20.0, what="redrive", job=GOOD, answer=202, job_status="SUCCEEDED")),
    ),
    (
        "I7",
        "409 to the cancel",
        with_calls(Call(at=20.0, what="cancel", job=GOOD, answer=202, job_status="SUCCEEDED")),
    ),
    (
        "I7",
        "inspect finished once",
        with_life(
            TWICE,
            row(TWICE, "FAILED", 4, "DONE", "PENDING", error={"class": "UnexpectedError", "message": "", "stage": ""}),
            row(TWICE, "QUEUED", 5, "PENDING", "PENDING", attempt=2),
            row(TWICE, "SUCCEEDED", 8, "DONE", "DONE", attempt=2),
        ),
    ),
]


def test_violations_of_a_good_run_are_none() -> None:
    assert violations(a_good_run()) == []


@pytest.mark.parametrize(("invariant", "expected", "spoil"), SPOILED, ids=[f"{one[0]} {one[1]}" for one in SPOILED])
def test_violations_of_a_spoiled_run_name_the_invariant_and_what_was_expected(
    invariant: str, expected: str, spoil: Spoil
) -> None:
    found = violations(spoil(a_good_run()))
    assert [one for one in found if one.invariant == invariant and expected in one.expected], found


def test_violations_are_shown_to_be_possible_for_every_invariant() -> None:
    assert {invariant for invariant, _, _ in SPOILED} == INVARIANTS.keys()


def test_violations_of_a_restart_in_which_changes_were_missed_are_none() -> None:
    missed = with_life(
        TWICE,
        row(TWICE, "QUEUED", 1, "PENDING", "PENDING"),
        row(TWICE, "SUCCEEDED", 8, "DONE", "DONE", attempt=2),
    )
    assert violations(missed(a_good_run())) == []


def test_violations_of_a_redrive_whose_own_try_stores_the_result_are_none() -> None:
    assert violations(redriven("two")(a_good_run())) == []


def test_violations_of_a_redrive_after_a_lost_artefact_are_none() -> None:
    lost = {"class": "ArtefactLost", "message": "It is gone.", "stage": "report"}
    history = with_life(
        TWICE,
        row(TWICE, "RUNNING", 3, "DONE", "PENDING"),
        row(TWICE, "FAILED", 4, "DONE", "PENDING", error=lost),
        row(TWICE, "QUEUED", 5, "PENDING", "PENDING", attempt=2),
        row(TWICE, "SUCCEEDED", 8, "DONE", "DONE", attempt=2),
    )(a_good_run())
    assert violations(history) == []
