"""What a job has cost, made of what its row remembers and of the way that it has gone. Asks nobody anything.

What is measured: the time of every try that could tell it, requests to the bucket, sizes of the row. What is known:
which states a job has entered, by what became of its stages. What is estimated are the numbers below, a small part.
What comes after a job's end, such as a look at it, is not in its cost; nor are uploads, logs, storage, data transfer.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from lambdas.adapters.job_items import marshal, to_row
from lambdas.adapters.metering import item_bytes, meter
from lambdas.config import FUNCTION_MEMORY_MB
from lambdas.jobs.cost import ACCEPTING, ENDING, EVENTS, FLOW, Cost, Spent, Usage, price, total
from lambdas.jobs.model import Job, StageRecord
from lambdas.jobs.prices import Charge, gb_seconds, read_units, write_units
from lambdas.jobs.status import OPEN, STAGE_CLOSED, StageStatus, Status
from lambdas.jobs.times import now
from lambdas.stages.catalogue import LAST, MAKES_WORKING_COPY, ORDINARY, STAGES, Stage

ACCEPTING_MS: Final = 50
"""Of the starter for one message, or of the call that redrives: with the job's row, nobody has measured it yet."""
PUBLISHING_MS: Final = 30
"""Of the function that tells of a change, if the change is alone in its batch."""
AT_ONCE_MS: Final = 15
"""Of a stage that has nothing to do: one write that the row refuses."""
QUEUE_REQUESTS: Final = 3
"""A message is sent, taken and deleted; where batches are full, it takes fewer."""
NEW_INDEX_ENTRIES: Final = 3
"""By owner, by owner and status, by due time."""
INDEX_MOVE: Final = 2
"""An entry whose key changes is deleted and written anew."""
BETWEEN: Final = tuple(stage for stage in ORDINARY if stage not in (MAKES_WORKING_COPY, LAST))
EXTRAS: Final = tuple(stage for stage in STAGES if stage.is_extra)


def cost_of(job: Job, *, ending: Usage | None = None, is_caught: bool = False, is_found: bool = False) -> Cost:
    """Price a job that ends now, with its earlier attempts.

    `job` is as it is about to be, but for its end. `ending` is what its end takes, if its last stage is not its end;
    `is_caught` says that its workflow itself brings it there, after a stage gave up; `is_found` that it can be found by
    its fingerprint from then on.
    """
    parts = {ACCEPTING: _accepting(job), EVENTS: _events(job)}
    if is_caught or _has_run(job):
        parts[FLOW] = _flow(job, is_caught=is_caught)
        parts |= {stage.name: _stage(job, stage) for stage in _entered(job)}
    moves = INDEX_MOVE + 1 + is_found if ending is None else _index_moves(job)
    parts[ENDING] = total([ending or {}, {Charge.TABLE_WRITES: moves}])
    return price(parts, version=job.version + 1, before=job.cost)


def failed_cost(job: Job) -> Cost:
    """Price a job that fails from outside its workflow: its row is written, its letter sent and noted to be sent."""
    writes = 2 * write_units(row_bytes(job)) + 1
    further = total([one_read(job), {Charge.QUEUE_REQUESTS: 1}])
    return cost_of(job, ending=function_usage(table_writes=writes, further=further))


def cancelled_cost(job: Job, *, states: int = 0) -> Cost:
    """Price a job that is cleaned up after a cancel: the cancel's write and this one, and a look for its artefacts.

    `states` are those of its workflow that do so; none when that is over already.
    """
    writes = 2 * write_units(row_bytes(job))
    further = total([one_read(job), {Charge.OBJECT_WRITES: 1}])
    ending = function_usage(table_writes=writes, transitions=states, further=further)
    return cost_of(job, ending=ending, is_caught=states > 0)


def function_usage(*, table_writes: float = 0, transitions: int = 0, further: Usage | None = None) -> Usage:
    """Tell what this invocation has taken so far, of a function that settles a job; with writes that are to come."""
    return total(
        [
            {
                Charge.TRANSITIONS: transitions,
                Charge.INVOCATIONS: 1,
                Charge.GB_SECONDS: gb_seconds(FUNCTION_MEMORY_MB, meter.elapsed_ms),
                Charge.TABLE_WRITES: table_writes,
            },
            further or {},
        ]
    )


def last_write(job: Job) -> Usage:
    """Tell what the write takes that ends a job from outside its stages."""
    return {Charge.TABLE_WRITES: write_units(row_bytes(job))}


def row_bytes(job: Job) -> int:
    """Tell the size of a job's row."""
    return item_bytes(marshal(to_row(job)))


def one_read(job: Job) -> Usage:
    """Tell what it takes to read the row."""
    return {Charge.TABLE_READS: read_units(row_bytes(job))}


def _accepting(job: Job) -> Usage:
    fresh = replace(job, stages={name: record.reopened() for name, record in job.stages.items()}, cost=None, error=None)
    call = {
        Charge.API_REQUESTS: 1,
        Charge.INVOCATIONS: 1,
        Charge.GB_SECONDS: gb_seconds(FUNCTION_MEMORY_MB, ACCEPTING_MS),
    }
    if job.attempt > 1:
        moved = write_units(row_bytes(job)) + 2 * INDEX_MOVE
        return {**call, Charge.TABLE_WRITES: moved, Charge.TABLE_READS: read_units(row_bytes(job))}
    return {
        **call,
        Charge.FAIR_QUEUE_REQUESTS: QUEUE_REQUESTS,
        Charge.TABLE_WRITES: write_units(row_bytes(fresh)) + NEW_INDEX_ENTRIES,
        Charge.TABLE_READS: len(OPEN) / 2,
    }


def _index_moves(job: Job) -> int:
    """Count what the indexes by status and by due time take when a job fails or is cancelled; twice if it ran."""
    return 2 * INDEX_MOVE * (2 if job.status is Status.CANCELLING else 1)


def _events(job: Job) -> Usage:
    changes = job.version + 1 - (job.cost.version if job.cost else 0)
    return {
        Charge.INVOCATIONS: changes,
        Charge.GB_SECONDS: changes * gb_seconds(FUNCTION_MEMORY_MB, PUBLISHING_MS),
        Charge.TABLE_WRITES: changes,
        Charge.TABLE_READS: changes,
        Charge.BUS_EVENTS: changes,
    }


def _has_run(job: Job) -> bool:
    """Tell whether the workflow of this attempt has done anything that the row knows of."""
    return any(record.attempt == job.attempt for record in job.stages.values())


def _is_closed(job: Job, stages: tuple[Stage, ...]) -> bool:
    return all(job.stages[stage.name].status in STAGE_CLOSED for stage in stages if stage.name in job.stages)


def _wants_extras(job: Job) -> bool:
    """Tell whether the state for what few jobs want is entered: by the same rule as the state machine's choice."""
    extras = [job.stages[stage.name] for stage in EXTRAS if stage.name in job.stages]
    return any(record.status not in STAGE_CLOSED or record.attempt == job.attempt for record in extras)


def _flow(job: Job, *, is_caught: bool) -> Usage:
    """States that are no stages: the parallel ones, the choice, and the end of a branch whose stage gave up."""
    transitions = 0
    if _is_closed(job, (MAKES_WORKING_COPY,)):
        transitions += 1
        if not _is_closed(job, BETWEEN):
            transitions += is_caught
        else:
            transitions += 1
            if _wants_extras(job):
                transitions += 1 + (is_caught and not _is_closed(job, EXTRAS))
    begins = INDEX_MOVE if _has_run(job) else 0
    return {Charge.TRANSITIONS: transitions, Charge.TABLE_WRITES: begins}


def _entered(job: Job) -> list[Stage]:
    """Name the stages whose states this attempt has entered."""
    entered = [MAKES_WORKING_COPY]
    if _is_closed(job, (MAKES_WORKING_COPY,)):
        entered += BETWEEN
        if _is_closed(job, BETWEEN):
            entered += EXTRAS if _wants_extras(job) else ()
            entered += [LAST] if _is_closed(job, EXTRAS) else []
    return [stage for stage in entered if stage.name in job.stages]


def _stage(job: Job, stage: Stage) -> Usage:
    record = job.stages[stage.name]
    if record.attempt != job.attempt:
        return {
            Charge.TRANSITIONS: 1 + (0 if record.status in STAGE_CLOSED else record.retries),
            Charge.INVOCATIONS: 1,
            Charge.GB_SECONDS: gb_seconds(stage.memory_mb, AT_ONCE_MS),
            Charge.TABLE_WRITES: write_units(row_bytes(job)),
        }
    untold = max(0, record.tries - record.spent.told)
    spent = record.spent.plus(
        Spent(milliseconds=_untold_ms(stage, record, untold), table_writes=untold * write_units(row_bytes(job)))
    )
    return {
        Charge.TRANSITIONS: 1 + max(record.retries, record.tries - 1),
        Charge.INVOCATIONS: record.tries,
        Charge.GB_SECONDS: gb_seconds(stage.memory_mb, spent.milliseconds),
        Charge.TABLE_WRITES: spent.table_writes,
        Charge.OBJECT_WRITES: spent.object_writes,
        Charge.OBJECT_READS: spent.object_reads,
        Charge.RECOGNITIONS: spent.recognitions,
    }


def _untold_ms(stage: Stage, record: StageRecord, untold: int) -> int:
    """Estimate the time of tries that have not told theirs, because they died, or were stopped, or still work.

    One that runs has taken the time since it began, and at most what it may take; any other what it may take: functions
    that are out of time are most of those that die without a word.
    """
    longest = stage.timeout_seconds * 1000
    if not untold:
        return 0
    if record.status is not StageStatus.RUNNING or record.tried_at is None:
        return untold * longest
    since = datetime.fromisoformat(now()) - datetime.fromisoformat(record.tried_at)
    return (untold - 1) * longest + min(longest, max(0, round(since.total_seconds() * 1000)))


def with_retries(job: Job, state: Mapping[str, Any]) -> Job:
    """Give back a job with what the state machine tells of the stage that it has given up: how often it was retried.

    The row knows only of those tries that have begun, and not of those for which Lambda had no room.
    """
    name = str(state.get("stage"))
    if name not in job.stages:
        return job
    return with_stage(job, name, replace(job.stages[name], retries=state.get("retries", 0)))


def with_stage(job: Job, name: str, record: StageRecord) -> Job:
    """Give back a job with one of its stages as it is about to be."""
    stages: Mapping[str, StageRecord] = {**job.stages, name: record}
    return replace(job, stages=stages)
