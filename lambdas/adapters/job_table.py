"""The job table: every change of a job is one conditional write here.

Each write names the attempt it belongs to and the statuses that it may leave; the table refuses the rest, and a refusal
says why. A write that landed while its reply was lost comes back, by the SDK's own repeat, as refused: each carries a
token, and finds it in the row. Must not decide what is right: that is `lambdas.jobs.status`.
"""

import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from lambdas.adapters import keys
from lambdas.adapters.aws_errors import code_of, translated
from lambdas.adapters.clients import client
from lambdas.adapters.job_items import (
    CANCELLED_UNSEEN,
    Item,
    failure_to_row,
    from_row,
    is_note,
    key,
    marshal,
    stage_to_row,
    to_row,
    unmarshal,
)
from lambdas.jobs.errors import TransientError
from lambdas.jobs.model import Attempt, Failure, Job, StageRecord
from lambdas.jobs.status import ENDS, ON_CANCEL, StageStatus, Status, sources

# Each condition has a name, so that the expressions below read as sentences.
THIS_ATTEMPT = "attempt = :attempt"
KNOWN_STAGE = "attribute_exists(stages.#stage)"
STAGE_IS_OPEN = "NOT stages.#stage.#status IN (:done, :skipped)"
CLOSED = {":done": StageStatus.DONE, ":skipped": StageStatus.SKIPPED}
NEXT_VERSION = "version = version + :one, updatedAt = :now"
SETTLE = "settle"
PAUSES_SECONDS = (0.1, 0.2, 0.4, 0.8)
"""Between reads of what DynamoDB has left unread, each cut short at random."""
NAMES = {"#status": "status", "#error": "error", "#result": "result"}  # words that DynamoDB reserves


class RefusedError(Exception):
    """The row does not allow the write. `job` is the row as it was found; None when there is none."""

    def __init__(self, job: Job | None) -> None:
        super().__init__("no such job" if job is None else f"the job is {job.status} at attempt {job.attempt}")
        self.job = job


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some of an owner's jobs, newest first, and where the next ones begin."""

    jobs: Sequence[Job]
    next_key: Mapping[str, str] | None


class JobTable:
    """The rows of the jobs. Every method raises TransientError when the table is throttled or out of reach."""

    def __init__(self, name: str) -> None:
        self._name = name

    def get(self, owner: str, job_id: str) -> Job | None:
        """Read a job as it is at this moment; None when the owner has none by this id."""
        return _unexpired(_job_in(self._item(owner, job_id)))

    def is_cancelled_unseen(self, owner: str, job_id: str) -> bool:
        """Tell whether there is a note that the owner has cancelled an id before its message was read."""
        return is_note(unmarshal(self._item(owner, job_id) or {}))

    def _item(self, owner: str, job_id: str) -> Item | None:
        with translated("Reading the job"):
            answer = client("dynamodb").get_item(TableName=self._name, Key=key(owner, job_id), ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    def put_new(self, job: Job) -> Job:
        """Write a job down unless it is there already, and return what is there then.

        The first submission of an id wins. One that its owner has cancelled before it was read is written as CANCELLED.
        """
        # The time to live deletes late: what has expired is as good as gone.
        old = self._put_if(job, f"attribute_not_exists({keys.JOB_ID}) OR {keys.EXPIRES_AT} < :present")
        if old is None:
            return job
        if not is_note(old):
            return from_row(old)
        cancelled = _cancelled_before_it_was_seen(job, old[CANCELLED_UNSEEN])
        old = self._put_if(cancelled, f"attribute_exists({CANCELLED_UNSEEN})")
        return cancelled if old is None else from_row(old)

    def _put_if(self, job: Job, condition: str) -> dict[str, Any] | None:
        """Put the row; return what stands in its way, or None."""
        present = marshal({":present": int(time.time())})
        values = {"ExpressionAttributeValues": present} if ":present" in condition else {}
        try:
            with translated("Writing the job"):
                client("dynamodb").put_item(
                    TableName=self._name,
                    Item=marshal(to_row(job)),
                    ConditionExpression=condition,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **values,
                )
        except ClientError as error:
            old = _old_item(error)
            return unmarshal(old) if old else to_row(job)
        return None

    def note_early_cancel(self, owner: str, job_id: str, *, now: str, expires_at: int) -> None:
        """Remember that an id is cancelled whose message has not been read. Raises RefusedError when there is a row."""
        note = {keys.OWNER: owner, keys.JOB_ID: job_id, CANCELLED_UNSEEN: now, keys.EXPIRES_AT: expires_at}
        try:
            with translated("Noting the cancel"):
                client("dynamodb").put_item(
                    TableName=self._name,
                    Item=marshal(note),
                    ConditionExpression=f"attribute_not_exists({keys.JOB_ID}) OR attribute_exists({CANCELLED_UNSEEN})",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            raise RefusedError(_job_in(_old_item(error))) from error

    def begin_stage(self, attempt: Attempt, stage: str, *, token: str, now: str) -> Job:
        """Mark a stage as running, and the job with it; return the job.

        Raises RefusedError when the attempt may not run or the stage has nothing left to do.
        """
        values = {":stageRunning": StageStatus.RUNNING} | CLOSED
        may_run, statuses = _one_of("#status", (*sources(Status.RUNNING), Status.RUNNING))
        stage_is_open = STAGE_IS_OPEN
        not_our_own_repeat = "NOT tokens.#tokenOf = :token"  # or one try would count as two
        return self._update(
            attempt,
            f"SET {NEXT_VERSION}, #status = :running, {keys.OWNER_AND_STATUS} = :ownerAndStatus, "
            "startedAt = if_not_exists(startedAt, :now), "
            "stages.#stage.#status = :stageRunning, stages.#stage.attempt = :attempt, "
            "stages.#stage.tries = stages.#stage.tries + :one, "
            "stages.#stage.startedAt = if_not_exists(stages.#stage.startedAt, :now), tokens.#tokenOf = :token "
            "REMOVE stages.#stage.#error",
            f"{THIS_ATTEMPT} AND {may_run} AND {KNOWN_STAGE} AND {stage_is_open} AND {not_our_own_repeat}",
            values
            | statuses
            | _status_values(attempt.owner, Status.RUNNING, ":running")
            | {":token": token, ":now": now},
            stage=stage,
            token_of=f"begin-{stage}",
        )

    def add_stage(self, attempt: Attempt, stage: str, record: StageRecord, *, now: str) -> Job:
        """Give a job a stage that did not exist yet when it was submitted. Raises RefusedError like `begin_stage`."""
        may_run, statuses = _one_of("#status", (*sources(Status.RUNNING), Status.RUNNING))
        return self._update(
            attempt,
            f"SET {NEXT_VERSION}, stages.#stage = :record",
            f"{THIS_ATTEMPT} AND {may_run} AND NOT {KNOWN_STAGE}",
            statuses | {":record": stage_to_row(record), ":now": now},
            stage=stage,
        )

    def report_progress(self, attempt: Attempt, stage: str, percent: int, *, now: str) -> Job:
        """Say how far a running stage has come. Raises RefusedError when it may not run any more, or was further."""
        return self._update(
            attempt,
            f"SET {NEXT_VERSION}, stages.#stage.progress = :percent",
            f"{THIS_ATTEMPT} AND #status = :running AND stages.#stage.progress <= :percent",
            {":percent": percent, ":running": Status.RUNNING, ":now": now},
            stage=stage,
        )

    def end_stage(
        self,
        attempt: Attempt,
        stage: str,
        *,
        result: str | None,
        result_key: str | None,
        folder: str,
        ends_job: bool,
        token: str,
        now: str,
    ) -> Job:
        """Store what a stage found, and settle the job as SUCCEEDED with its last stage; return the job.

        Raises RefusedError when the attempt may not run any more or the stage is done already.
        """
        attribute, stored = ("#result", result) if result_key is None else ("resultKey", result_key)
        settled = (
            f", #status = :succeeded, {keys.OWNER_AND_STATUS} = :ownerAndStatus, finishedAt = :now" if ends_job else ""
        )
        still_running, statuses = _one_of("#status", sources(Status.SUCCEEDED))
        values = {":stageDone": StageStatus.DONE, ":hundred": 100} | CLOSED
        values |= _status_values(attempt.owner, Status.SUCCEEDED, ":succeeded") if ends_job else {}
        return self._update(
            attempt,
            f"SET {NEXT_VERSION}, stages.#stage.#status = :stageDone, stages.#stage.progress = :hundred, "
            f"stages.#stage.finishedAt = :now, stages.#stage.{attribute} = :result, "
            f"stages.#stage.folder = :folder, tokens.#tokenOf = :token{settled} "
            "REMOVE stages.#stage.#error",
            f"{THIS_ATTEMPT} AND {still_running} AND {KNOWN_STAGE} AND {STAGE_IS_OPEN}",
            values | statuses | {":result": stored, ":folder": folder, ":token": token, ":now": now},
            stage=stage,
            token_of=f"end-{stage}",
        )

    def record_stage_failure(self, attempt: Attempt, stage: str, failure: Failure, *, token: str, now: str) -> Job:
        """Write down why a try of a stage failed; `token` is the one it began with.

        Raises RefusedError when the attempt is over or a later try has begun: that one is not to be called failed.
        """
        return self._update(
            attempt,
            f"SET {NEXT_VERSION}, stages.#stage.#status = :stageFailed, stages.#stage.#error = :failure",
            f"{THIS_ATTEMPT} AND #status = :running AND stages.#stage.#status = :stageRunning "
            "AND tokens.#tokenOf = :token",
            {
                ":stageFailed": StageStatus.FAILED,
                ":stageRunning": StageStatus.RUNNING,
                ":running": Status.RUNNING,
                ":failure": failure_to_row(failure),
                ":token": token,
                ":now": now,
            },
            stage=stage,
            token_of=f"begin-{stage}",
            own_token_is_success=False,
        )

    def cancel(self, job: Job, *, now: str) -> Job:
        """Take a job from the status that the caller has seen to where a cancel leads; return it.

        Raises RefusedError when the job has moved in between, KeyError when a cancel leads nowhere from its status.
        """
        target = ON_CANCEL[job.status]
        end = ", finishedAt = :now" if target in ENDS else ""
        return self._update(
            job.current,
            f"SET {NEXT_VERSION}, #status = :target, {keys.OWNER_AND_STATUS} = :ownerAndStatus, "
            f"cancelRequestedAt = :now{end}",
            f"{THIS_ATTEMPT} AND #status = :seen",
            _status_values(job.owner, target, ":target") | {":seen": job.status, ":now": now},
        )

    def settle(self, attempt: Attempt, end: Status, *, failure: Failure | None, token: str, now: str) -> Job:
        """Bring a job to an end; return it. Raises RefusedError when it has one already, or is at another attempt."""
        may_end, statuses = _one_of("#status", sources(end))
        why = ", #error = :failure" if failure else ""
        return self._update(
            attempt,
            f"SET {NEXT_VERSION}, #status = :end, {keys.OWNER_AND_STATUS} = :ownerAndStatus, finishedAt = :now, "
            f"tokens.#tokenOf = :token{why}",
            f"{THIS_ATTEMPT} AND {may_end}",
            statuses
            | _status_values(attempt.owner, end, ":end")
            | ({":failure": failure_to_row(failure)} if failure else {})
            | {":token": token, ":now": now},
            token_of=SETTLE,
        )

    def page(self, owner: str, *, status: Status | None, limit: int, start: Mapping[str, str] | None) -> Page:
        """List an owner's jobs, newest first.

        The indexes hold keys only and may lag, so the rows are read from the table itself: what is shown is true, and a
        job that has just left the status asked for is left out.
        """
        index, name, value = (
            (keys.BY_OWNER_INDEX, keys.OWNER, owner)
            if status is None
            else (keys.BY_OWNER_AND_STATUS_INDEX, keys.OWNER_AND_STATUS, keys.owner_and_status(owner, status))
        )
        with translated("Listing the jobs"):
            answer = client("dynamodb").query(
                TableName=self._name,
                IndexName=index,
                KeyConditionExpression="#name = :value",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues=marshal({":value": value}),
                ScanIndexForward=False,
                Limit=limit,
                **({"ExclusiveStartKey": marshal(start)} if start else {}),
            )
        found = [unmarshal(item) for item in answer["Items"]]
        jobs = self._get_all(owner, [row[keys.JOB_ID] for row in found])
        last = answer.get("LastEvaluatedKey")
        return Page(
            jobs=[job for job in jobs if status in (None, job.status) and _unexpired(job)],
            next_key=unmarshal(last) if last else None,
        )

    def _get_all(self, owner: str, job_ids: Sequence[str]) -> list[Job]:
        """Read many rows, in the order asked for; those that are gone by now are left out."""
        rows: dict[str, Job] = {}
        for chunk in _chunks(job_ids, 100):  # BatchGetItem's limit
            pending = [key(owner, job_id) for job_id in chunk]
            for pause in (*PAUSES_SECONDS, None):
                if not pending:
                    break
                with translated("Reading the jobs"):
                    answer = client("dynamodb").batch_get_item(
                        RequestItems={self._name: {"Keys": pending, "ConsistentRead": True}}
                    )
                for item in answer["Responses"].get(self._name, []):
                    job = from_row(unmarshal(item))
                    rows[job.job_id] = job
                pending = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
                if pending and pause is None:
                    raise TransientError("Reading the jobs: DynamoDB leaves some unread.")
                if pending and pause:
                    time.sleep(random.uniform(0, pause))  # noqa: S311 - jitter, no secret
        return [rows[job_id] for job_id in job_ids if job_id in rows]

    def _update(
        self,
        attempt: Attempt,
        update: str,
        condition: str,
        values: Mapping[str, Any],
        *,
        stage: str | None = None,
        token_of: str | None = None,
        own_token_is_success: bool = True,
    ) -> Job:
        names = {**({"#stage": stage} if stage else {}), **({"#tokenOf": token_of} if token_of else {})}
        used = {name: word for name, word in NAMES.items() if name in update or name in condition}
        try:
            with translated("Writing the job"):
                answer = client("dynamodb").update_item(
                    TableName=self._name,
                    Key=key(attempt.owner, attempt.job_id),
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeNames=used | names,
                    ExpressionAttributeValues=marshal({**values, ":attempt": attempt.number, ":one": 1}),
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            found = _job_in(_old_item(error))
            if found and token_of and own_token_is_success and found.tokens.get(token_of) == values[":token"]:
                return found
            raise RefusedError(found) from error
        return from_row(unmarshal(answer["Attributes"]))


def _one_of(attribute: str, statuses: Iterable[Status]) -> tuple[str, dict[str, str]]:
    """Condition that an attribute is one of some statuses, and the values that it needs."""
    values = {f":from{status}": status.value for status in statuses}
    return f"{attribute} IN ({', '.join(values)})", values


def _status_values(owner: str, status: Status, placeholder: str) -> dict[str, str]:
    return {placeholder: status.value, ":ownerAndStatus": keys.owner_and_status(owner, status)}


def _old_item(error: ClientError) -> Item | None:
    """The row that refused a write. Raises the error again when it was something else."""
    if code_of(error) != "ConditionalCheckFailedException":
        raise error
    item: Item | None = error.response.get("Item")
    return item


def _job_in(item: Item | None) -> Job | None:
    """The job in an item; None when there is no item, or only a note of an early cancel."""
    row = unmarshal(item) if item else None
    return None if row is None or is_note(row) else from_row(row)


def _unexpired(job: Job | None) -> Job | None:
    return job if job and job.expires_at > time.time() else None


def _cancelled_before_it_was_seen(job: Job, cancelled_at: str) -> Job:
    return replace(job, status=Status.CANCELLED, cancel_requested_at=cancelled_at, finished_at=job.updated_at)


def _chunks(items: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
