"""The executions of the state machine."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lambdas.adapters.aws_errors import ClientError, code_of, translated
from lambdas.adapters.clients import client
from lambdas.jobs.errors import InvalidJob
from lambdas.jobs.model import Attempt, Job

CLOCKS_DIFFER: Final = timedelta(minutes=5)
RUNNING: Final = "RUNNING"
_PARTS_OF_A_MACHINE: Final = 7
"""Of its ARN, in colons; an alias would be the eighth."""
_MOST_COUNTED: Final = 1000
"""The most that Step Functions lists in a call."""


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One run of the state machine; `status` is Step Functions' own word."""

    arn: str
    status: str
    started_at: datetime
    error: str | None = None
    cause: str | None = None

    @property
    def is_running(self) -> bool:
        """Tell whether it may still do something."""
        return self.status == RUNNING

    @classmethod
    def read(cls, description: dict[str, Any]) -> "Execution":
        """Read what DescribeExecution answers: its times are seconds of the epoch."""
        return cls._read(description, description["startDate"])

    @classmethod
    def read_event(cls, detail: dict[str, Any]) -> "Execution":
        """Read what the event of an execution's end tells alike: its times are milliseconds of the epoch."""
        return cls._read(detail, detail["startDate"] / 1000)

    @classmethod
    def _read(cls, description: dict[str, Any], started: float) -> "Execution":
        return cls(
            arn=description["executionArn"],
            status=description["status"],
            started_at=datetime.fromtimestamp(started, UTC),
            error=description.get("error") or None,
            cause=description.get("cause") or None,
        )


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Executions of a while; `failed` are part of `ended`, `running` are all that run now."""

    started: int
    ended: int
    failed: int
    running: int
    is_lower_bound: bool


def count(state_machine_arn: str, *, since: float) -> Counts:
    """Count the executions that began after a moment, in seconds of the epoch: the newest thousand at most."""
    machine = _unqualified(state_machine_arn)
    newest, more = _listed(machine)
    running, more_running = _listed(machine, statusFilter=RUNNING)
    recent = [execution for execution in newest if execution["startDate"] >= since]
    ended = [execution for execution in recent if execution["status"] != RUNNING]
    return Counts(
        started=len(recent),
        ended=len(ended),
        failed=sum(execution["status"] != "SUCCEEDED" for execution in ended),
        running=len(running),
        is_lower_bound=(more and len(recent) == len(newest)) or more_running,
    )


def _listed(state_machine_arn: str, **filters: str) -> tuple[list[dict[str, Any]], bool]:
    """List the newest executions, and tell whether there are others."""
    with translated("Listing the executions"):
        page = client("stepfunctions").list_executions(
            stateMachineArn=state_machine_arn, maxResults=_MOST_COUNTED, **filters
        )
    return page["executions"], "nextToken" in page


def start(state_machine_arn: str, job: Job) -> bool:
    """Start the execution of a job's current attempt; return False when it was started before.

    Raises InvalidJob when an earlier job, whose row has expired since, has used up the name (Step Functions keeps names
    for 90 days).

    The name is unique for owner, job and attempt, and the input follows from it: an execution by this name is this
    attempt's: starting twice is harmless. (Step Functions takes the same name and input as the same start only while
    the execution runs; afterwards, and on some emulators always, it says that it exists.)
    """
    attempt = job.current
    trace = {"traceHeader": job.trace} if job.trace else {}
    try:
        with translated("Starting the execution"):
            client("stepfunctions").start_execution(
                stateMachineArn=state_machine_arn,
                name=attempt.execution_name,
                input=json.dumps(attempt.payload(), sort_keys=True, separators=(",", ":")),
                **trace,
            )
    except ClientError as error:
        if code_of(error) != "ExecutionAlreadyExists":
            raise
        _refuse_older(find(state_machine_arn, attempt), attempt, job.created_at)
        return False
    return True


def find(state_machine_arn: str, attempt: Attempt) -> Execution | None:
    """Look at the execution of an attempt; None when it was never started, or is forgotten (after 90 days)."""
    try:
        with translated("Looking at the execution"):
            description = client("stepfunctions").describe_execution(executionArn=_arn(state_machine_arn, attempt))
    except ClientError as error:
        if code_of(error) != "ExecutionDoesNotExist":
            raise
        return None
    return Execution.read(description)


def stop(execution: Execution, *, error: str, cause: str) -> None:
    """End an execution; one that has ended already is left alone. Functions that are at work are not stopped by it."""
    try:
        with translated("Stopping the execution"):
            client("stepfunctions").stop_execution(executionArn=execution.arn, error=error, cause=cause)
    except ClientError as refused:
        if code_of(refused) not in {"ExecutionDoesNotExist", "ValidationException"}:
            raise


def _arn(state_machine_arn: str, attempt: Attempt) -> str:
    return f"{_unqualified(state_machine_arn).replace(':stateMachine:', ':execution:')}:{attempt.execution_name}"


def _unqualified(state_machine_arn: str) -> str:
    """Leave the alias out: executions belong to the machine, whatever started them."""
    return ":".join(state_machine_arn.split(":")[:_PARTS_OF_A_MACHINE])


def _refuse_older(execution: Execution | None, attempt: Attempt, accepted_at: str) -> None:
    if execution and execution.started_at < datetime.fromisoformat(accepted_at) - CLOCKS_DIFFER:
        raise InvalidJob(f"An earlier job has had the id {attempt.job_id}. Submit this one under another id.")
