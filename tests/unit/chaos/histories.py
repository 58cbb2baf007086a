"""Made-up histories of runs: one in which all is well, and the means to spoil it."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from laptop.chaos.history import Call, Execution, Fault, History, Result, Seen, Wanted

GOOD, BAD, STOPPED, TWICE = "chaos-7-0000", "chaos-7-0001", "chaos-7-0002", "chaos-7-0003"
POISON = "chaos-7-p000"
DIGEST = "ab" * 32
EXECUTION_ARN = "arn:aws:states:eu-central-1:000000000000:execution:machine"


def execution(job: str, attempt: int = 1) -> str:
    """Name of an execution."""
    return f"{job}-0123abcd-a{attempt}"


def stage(status: str, **changed: Any) -> dict[str, Any]:
    """A stage of a row."""
    done = {"progress": 100, "folder": "f-1", "result": "{}", "finishedAt": "t", "checksums": {"report.json": "aa"}}
    details = done if status == "DONE" else {"progress": 0}
    return {"weight": 50, "status": status, "tries": 0 if status == "PENDING" else 1, "attempt": 1, **details} | changed


def row(job: str, status: str, version: int, inspect: str, report: str, **changed: Any) -> dict[str, Any]:
    """A job with two stages."""
    number = changed.get("attempt", 1)
    return {
        "jobId": job,
        "status": status,
        "version": version,
        "attempt": number,
        "execution": execution(job, number),
        "stages": {"inspect": stage(inspect), "report": stage(report)},
    } | changed


FAILURE = {"class": "UnexpectedError", "message": "The stage report failed.", "stage": "report"}
LIVES: Mapping[str, list[dict[str, Any]]] = {
    GOOD: [
        row(GOOD, "QUEUED", 1, "PENDING", "PENDING"),
        row(GOOD, "RUNNING", 2, "RUNNING", "PENDING"),
        row(GOOD, "RUNNING", 3, "DONE", "PENDING"),
        row(GOOD, "SUCCEEDED", 5, "DONE", "DONE"),
    ],
    BAD: [
        row(BAD, "QUEUED", 1, "PENDING", "PENDING"),
        row(BAD, "RUNNING", 3, "DONE", "PENDING"),
        row(BAD, "FAILED", 6, "DONE", "FAILED", error=FAILURE),
    ],
    STOPPED: [
        row(STOPPED, "QUEUED", 1, "PENDING", "PENDING"),
        row(STOPPED, "RUNNING", 3, "DONE", "PENDING"),
        row(STOPPED, "CANCELLING", 4, "DONE", "PENDING"),
        row(STOPPED, "CANCELLED", 5, "DONE", "PENDING"),
    ],
    TWICE: [
        row(TWICE, "QUEUED", 1, "PENDING", "PENDING"),
        row(TWICE, "RUNNING", 3, "DONE", "PENDING"),
        row(TWICE, "FAILED", 4, "DONE", "PENDING", error=FAILURE),
        row(TWICE, "QUEUED", 5, "DONE", "PENDING", attempt=2),
        row(TWICE, "SUCCEEDED", 8, "DONE", "DONE", attempt=2),
    ],
}


def letter(job: str | None, **changed: Any) -> dict[str, Any]:
    """A dead letter."""
    return {
        "schemaVersion": 1,
        "jobId": job,
        "attempt": 1,
        "stage": FAILURE["stage"],
        "errorClass": FAILURE["class"],
        "message": FAILURE["message"],
        "redriveCanHelp": True,
        "next": "darkroom dlq redrive",
        "executionArn": f"{EXECUTION_ARN}:{execution(job)}" if job else None,
    } | changed


def a_good_run() -> History:
    """Four jobs and a poisoned message: nothing to complain of."""
    lives = deepcopy(dict(LIVES))
    return History(
        seed=7,
        wanted={job: Wanted(job_id=job, image=DIGEST, analyses=frozenset({"palette"})) for job in lives},
        accepted=dict.fromkeys(lives, 1.0),
        rows={job: life[-1] for job, life in lives.items()},
        seen={job: [Seen(at=10.0 + at, row=one) for at, one in enumerate(life)] for job, life in lives.items()},
        executions={
            execution(GOOD): Execution(name=execution(GOOD), status="SUCCEEDED"),
            execution(BAD): Execution(name=execution(BAD), status="FAILED", error="UnexpectedError"),
            execution(STOPPED): Execution(name=execution(STOPPED), status="SUCCEEDED"),
            execution(TWICE): Execution(name=execution(TWICE), status="ABORTED"),
            execution(TWICE, 2): Execution(name=execution(TWICE, 2), status="SUCCEEDED"),
        },
        letters=[letter(BAD), letter(BAD), letter(TWICE), letter(None, body=f"{POISON} is not from the API")],
        unreadable_letters=[],
        objects={job: ["f-1/report.json"] for job in (GOOD, BAD, TWICE)},
        results={job: a_result() for job in (GOOD, TWICE)},
        faults=[
            Fault(at=11.5, kind="fails-for-ever", job=BAD, place="report"),
            Fault(at=11.5, kind="execution-aborted", job=TWICE),
            Fault(at=10.5, kind="pause", job=GOOD, place="inspect"),
            Fault(at=9.0, kind="emulator-restarted", until=10.2),
        ],
        calls=[
            *(Call(at=1.0, what="submit", job=job, answer=202) for job in (*lives, GOOD)),
            Call(at=11.0, what="cancel", job=STOPPED, answer=202, job_status="RUNNING"),
            Call(at=14.0, what="cancel", job=GOOD, answer=409, job_status="SUCCEEDED"),
            Call(at=12.5, what="redrive", job=TWICE, answer=202, job_status="FAILED"),
        ],
        poisons=frozenset({POISON}),
        queues={"JobQueueUrl": 0},
    )


def a_result(**changed: Any) -> Result:
    """What the API answers for a job that succeeded."""
    answer = Result(image=DIGEST, analyses=frozenset({"palette"}), pictures=frozenset({"preview", "thumbnail"}))
    return replace(answer, **changed)
