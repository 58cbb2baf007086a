"""What is measured of jobs: the names of all metrics of our own, and which of them a change of a job gives.

What AWS's services measure anyway (messages, invocations, executions, throttles) is not measured here again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from lambdas.jobs.errors import ImageNotFound, InvalidImage, InvalidJob, StageTimeout, TooManyJobs, is_known
from lambdas.jobs.model import Job, StageRecord
from lambdas.jobs.status import ENDS, StageStatus, Status

NAMESPACE: Final = "Darkroom"
OTHER_CLASS: Final = "Other"
"""Stands for the classes of errors that are not ours: so the dimension has few values."""
NO_FAULT_OF_OURS: Final = frozenset(cls.__name__ for cls in (ImageNotFound, InvalidImage, InvalidJob, TooManyJobs))
TIMEOUTS: Final = frozenset({StageTimeout.__name__, "States.Timeout"})


class Unit(StrEnum):
    """What a value counts, in CloudWatch's words."""

    COUNT = "Count"
    MILLISECONDS = "Milliseconds"
    NONE = "None"


class Name(StrEnum):
    """The metrics."""

    JOBS_ACCEPTED = "JobsAccepted"
    JOBS_STARTED = "JobsStarted"
    JOBS_ENDED = "JobsEnded"
    JOB_FAULTS = "JobFaults"
    STAGE_DURATION = "StageDuration"
    STAGE_RETRIES = "StageRetries"
    STAGE_TIMEOUTS = "StageTimeouts"
    TIME_QUEUED = "TimeQueued"
    TIME_TO_FIRST_PROGRESS = "TimeToFirstProgress"
    END_TO_END_TIME = "EndToEndTime"
    DUPLICATES_ABSORBED = "DuplicatesAbsorbed"
    DEAD_LETTERS = "DeadLetters"
    REDRIVES = "Redrives"
    CANCELS = "Cancels"
    RECONCILER_ACTIONS = "ReconcilerActions"
    JOBS_STUCK = "JobsStuck"
    EVENTS_FAILED = "EventsFailed"
    JOB_COST = "JobCost"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What a metric's values are, and by what they are told apart."""

    unit: Unit = Unit.COUNT
    dimensions: tuple[tuple[str, ...], ...] = ((),)
    """Sets of dimensions: each value is counted once under each of them."""


_STAGE: Final = (("Stage",),)
METRICS: Final[Mapping[Name, Metric]] = {
    **dict.fromkeys(Name, Metric()),
    Name.JOBS_ENDED: Metric(dimensions=(("Status",), ("Status", "ErrorClass"))),
    Name.STAGE_DURATION: Metric(unit=Unit.MILLISECONDS, dimensions=_STAGE),
    Name.STAGE_RETRIES: Metric(dimensions=_STAGE),
    Name.STAGE_TIMEOUTS: Metric(dimensions=((), *_STAGE)),
    **dict.fromkeys(
        (Name.TIME_QUEUED, Name.TIME_TO_FIRST_PROGRESS, Name.END_TO_END_TIME), Metric(unit=Unit.MILLISECONDS)
    ),
    Name.DEAD_LETTERS: Metric(dimensions=((), ("ErrorClass",))),
    Name.RECONCILER_ACTIONS: Metric(dimensions=(("Action",),)),
    Name.JOB_COST: Metric(unit=Unit.NONE),
}


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One value of a metric."""

    name: Name
    value: float = 1
    dimensions: Mapping[str, str] = field(default_factory=dict)


def measures_of(before: Job | None, after: Job) -> Iterator[Measure]:
    """Tell what a write of a job's row adds to the metrics; nothing when it concerns the reconciler alone."""
    if before is not None and before.version == after.version:
        return
    if before is None:
        yield Measure(name=Name.JOBS_ACCEPTED)
    elif after.attempt > before.attempt:
        yield Measure(name=Name.REDRIVES)
    if after.cancel_requested_at and not (before and before.cancel_requested_at):
        yield Measure(name=Name.CANCELS)
    if before is not None:
        yield from _of_progress(before, after)
    if after.status in ENDS and (before is None or before.status not in ENDS):
        yield from _of_an_end(before, after)


def _of_progress(before: Job, after: Job) -> Iterator[Measure]:
    if before.status is Status.QUEUED and after.status is Status.RUNNING:
        yield Measure(name=Name.JOBS_STARTED)
        queued_at = after.created_at if after.attempt == 1 else before.updated_at
        yield Measure(name=Name.TIME_QUEUED, value=_milliseconds(queued_at, after.updated_at))
    if after.attempt == 1 and before.progress == 0 < after.progress:
        yield Measure(name=Name.TIME_TO_FIRST_PROGRESS, value=_milliseconds(after.created_at, after.updated_at))
    for stage, record in after.stages.items():
        if stage in before.stages:
            yield from _of_a_stage(stage, before.stages[stage], record)


def _of_a_stage(stage: str, before: StageRecord, after: StageRecord) -> Iterator[Measure]:
    if after.tries > before.tries > 0:
        yield Measure(name=Name.STAGE_RETRIES, value=after.tries - before.tries, dimensions={"Stage": stage})
    has_ended = after.status is StageStatus.DONE and before.status is not StageStatus.DONE
    if has_ended and after.started_at and after.finished_at:
        took = _milliseconds(after.started_at, after.finished_at)
        yield Measure(name=Name.STAGE_DURATION, value=took, dimensions={"Stage": stage})


def _of_an_end(before: Job | None, after: Job) -> Iterator[Measure]:
    found = after.error.error_class if after.error else "None"
    error_class = found if after.error is None or is_known(found) or found in TIMEOUTS else OTHER_CLASS
    yield Measure(name=Name.JOBS_ENDED, dimensions={"Status": after.status.value, "ErrorClass": error_class})
    yield Measure(name=Name.JOB_FAULTS, value=int(after.error is not None and found not in NO_FAULT_OF_OURS))
    if after.attempt == 1 and after.finished_at:
        yield Measure(name=Name.END_TO_END_TIME, value=_milliseconds(after.created_at, after.finished_at))
    if after.cost:
        paid = before.cost.usd if before and before.cost else 0.0
        yield Measure(name=Name.JOB_COST, value=after.cost.usd - paid)
    if after.error:
        yield Measure(name=Name.DEAD_LETTERS, dimensions={"ErrorClass": error_class})
        if found in TIMEOUTS and after.error.stage in after.stages:
            yield Measure(name=Name.STAGE_TIMEOUTS, dimensions={"Stage": str(after.error.stage)})


def _milliseconds(start: str, end: str) -> float:
    """Measure from one written time to another; clocks of two machines may differ, but never go back here."""
    return max(0.0, round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() * 1000, 3))
