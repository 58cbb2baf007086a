"""Looks, again and again, at every job that has stood still for longer than it may, and settles or restarts it.

The last net under all others: a row without an execution, an execution that has ended unseen, a dead letter that could
not be sent, what a late writer has left of a cancelled job. Two at once do no harm, nor does one that dies half-way:
each job is claimed by moving the time at which it is due.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from lambdas import config
from lambdas.adapters import executions, keys
from lambdas.adapters.executions import Execution
from lambdas.adapters.image_bucket import ImageBucket
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.metering import meter
from lambdas.adapters.row_writes import RefusedError
from lambdas.adapters.watch_list import WatchList
from lambdas.handlers.logs import about_job, about_nobody, logger
from lambdas.handlers.metrics import count
from lambdas.handlers.settling import fail, finish_cancel, send_owed_letter, settle_after
from lambdas.handlers.watching import next_look
from lambdas.jobs.errors import InvalidJob
from lambdas.jobs.failures import too_late
from lambdas.jobs.measures import Measure, Name
from lambdas.jobs.model import BEFORE_THE_FIRST_STAGE, Failure, Job, OwedLetter
from lambdas.jobs.status import Status
from lambdas.jobs.times import now

PAGE: Final = 100
RESERVE_MS: Final = 15_000
"""No job is begun with less time than this left; the next run goes on."""


class Action(StrEnum):
    """What was done about a job: the names in the report."""

    RESTARTED = "restarted"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LETTER_SENT = "lettersSent"
    SWEPT = "swept"
    ALIVE = "alive"
    """Nothing: its execution runs."""
    MOVED_ON = "movedOn"
    """Nothing: it has moved since the index was read, or another reconciler was faster."""


_STUCK: Final = (Action.RESTARTED, Action.FAILED, Action.CANCELLED)
"""Done about jobs that stood still because something before had failed to."""
_DEEDS: Final = (*_STUCK, Action.LETTER_SENT, Action.SWEPT)


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    """Look at all jobs that are due, as far as the time allows; return how many there were of each kind.

    A job that cannot be dealt with holds up no other one: it is counted under `errors` and due again later.
    """
    report: Counter[str] = Counter({"looked": 0, "errors": 0, "left": 0} | {action.value: 0 for action in Action})
    table = JobTable(config.text(config.Variable.JOB_TABLE))
    for owner, job_id in _due(_watch_list()):
        if context.get_remaining_time_in_millis() < RESERVE_MS:
            report["left"] = 1
            break
        report["looked"] += 1
        report[_look(table, owner, job_id)] += 1
    about_nobody()
    count(_measures(report))
    logger.info("The reconciler has looked at what was due", extra={"report": dict(report)})
    return dict(report)


def _measures(report: Mapping[str, int]) -> Iterator[Measure]:
    """Count what was done; what was found alive or elsewhere by now is nothing done."""
    for action in (*_DEEDS, "errors"):
        if report[action]:
            yield Measure(name=Name.RECONCILER_ACTIONS, value=report[action], dimensions={"Action": str(action)})
    if stuck := sum(report[action] for action in _STUCK):
        yield Measure(name=Name.JOBS_STUCK, value=stuck)


def _due(watch_list: WatchList) -> Iterator[tuple[str, str]]:
    present = now()
    for shard in keys.WATCH_SHARDS:
        page = watch_list.due(shard, now=present, limit=PAGE)
        yield from page.jobs
        while page.next_start:
            page = watch_list.due(shard, now=present, limit=PAGE, start=page.next_start)
            yield from page.jobs


def _look(table: JobTable, owner: str, job_id: str) -> str:
    meter.start()
    try:
        job = table.get(owner, job_id)
        if job is None:
            return _sweep_deleted(table, owner, job_id)
        if job.due_at is None or job.due_at > now():
            return Action.MOVED_ON
        about_job(job)
        action = _ACTIONS[job.status](table, _watch_list().claim(job, due_at=next_look(job.deadline_at)))
    except RefusedError as refused:
        logger.info("The job has moved on meanwhile", extra={"reason": str(refused)})
        return Action.MOVED_ON
    except Exception:  # noqa: BLE001 - whatever it was: the next job is not to pay for it, and the report counts it
        logger.exception("The reconciler could not deal with a job; it is due again later", extra={"jobId": job_id})
        return "errors"
    logger.info("The reconciler has looked at a job", extra={"status": job.status, "action": action})
    return action


def _look_at_unfinished(table: JobTable, job: Job) -> Action:
    machine = config.text(config.Variable.STATE_MACHINE_ARN)
    execution = executions.find(machine, job.current)
    if job.is_late(now()):
        return _end_late(table, job, execution)
    if execution is None:
        return _restart(table, job, machine)
    return _settle_unless_running(table, job, execution, Action.FAILED)


def _look_at_cancelling(table: JobTable, job: Job) -> Action:
    execution = executions.find(config.text(config.Variable.STATE_MACHINE_ARN), job.current)
    if execution is None:
        return Action.CANCELLED if finish_cancel(table, job) else Action.MOVED_ON
    return _settle_unless_running(table, job, execution, Action.CANCELLED)


def _settle_unless_running(table: JobTable, job: Job, execution: Execution, done: Action) -> Action:
    if execution.is_running:
        return Action.ALIVE
    return done if settle_after(table, job, execution) else Action.MOVED_ON


def _restart(table: JobTable, job: Job, machine: str) -> Action:
    """Start the execution that a job should have: the row says all that it takes."""
    try:
        executions.start(machine, job)
    except InvalidJob as error:
        failure = Failure(error_class=type(error).__name__, message=str(error), stage=BEFORE_THE_FIRST_STAGE)
        return Action.FAILED if fail(table, job, failure, OwedLetter()) else Action.MOVED_ON
    return Action.RESTARTED


def _end_late(table: JobTable, job: Job, execution: Execution | None) -> Action:
    """Fail a job whose deadline is over; then stop its execution, which has nothing to settle any more."""
    failure = too_late(job)
    if not fail(table, job, failure, OwedLetter(execution_arn=execution.arn if execution else None)):
        return Action.MOVED_ON
    if execution and execution.is_running:
        executions.stop(execution, error=failure.error_class, cause=failure.message)
    return Action.FAILED


def _look_at_failed(_table: JobTable, job: Job) -> Action:
    if job.owed_letter is None:
        _watch_list().unwatch(job)
        return Action.MOVED_ON
    send_owed_letter(job)
    return Action.LETTER_SENT


def _sweep(_table: JobTable, job: Job) -> Action:
    """Delete what a stage has stored that was still at work when the cancelled job was cleaned up."""
    deleted = ImageBucket(config.text(config.Variable.IMAGE_BUCKET)).delete_all_artefacts(job.owner, job.job_id)
    _watch_list().unwatch(job)
    logger.info("Nothing of the cancelled job is left", extra={"objects": deleted})
    return Action.SWEPT


def _sweep_deleted(table: JobTable, owner: str, job_id: str) -> Action:
    """The same for a job that was deleted, of which there is only a note."""
    deletion = table.deletion(owner, job_id)
    if deletion is None or deletion.due_at is None or deletion.due_at > now():
        return Action.MOVED_ON
    deleted = ImageBucket(config.text(config.Variable.IMAGE_BUCKET)).delete_all_artefacts(owner, job_id)
    _watch_list().unwatch_deleted(owner, job_id)
    logger.info("Nothing of the deleted job is left", extra={"jobId": job_id, "objects": deleted})
    return Action.SWEPT


def _forget(_table: JobTable, job: Job) -> Action:
    _watch_list().unwatch(job)
    return Action.MOVED_ON


def _watch_list() -> WatchList:
    return WatchList(config.text(config.Variable.JOB_TABLE))


_ACTIONS: Final[Mapping[Status, Callable[[JobTable, Job], Action]]] = {
    Status.QUEUED: _look_at_unfinished,
    Status.RUNNING: _look_at_unfinished,
    Status.CANCELLING: _look_at_cancelling,
    Status.FAILED: _look_at_failed,
    Status.CANCELLED: _sweep,
    Status.SUCCEEDED: _forget,
}
