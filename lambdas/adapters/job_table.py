"""The job table: the life of a job, every change of which is one conditional write here.

Must not decide what is right: that is `lambdas.jobs.status`.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lambdas.adapters import keys
from lambdas.adapters.aws_errors import ClientError, translated
from lambdas.adapters.clients import client
from lambdas.adapters.job_items import (
    CANCELLED_UNSEEN,
    COST,
    DELETED,
    OWED_LETTER,
    Item,
    failure_to_row,
    from_row,
    is_note,
    key,
    marshal,
    owed_letter_to_row,
    spent_to_row,
    stage_to_row,
    to_row,
    unmarshal,
)
from lambdas.adapters.row_writes import (
    CLOSED,
    KNOWN_STAGE,
    NEXT_VERSION,
    NOT_LATE,
    STAGE_IS_OPEN,
    THIS_ATTEMPT,
    UNWATCH,
    WATCH,
    RefusedError,
    is_expired,
    job_in,
    old_item,
    one_of,
    status_values,
    update_row,
    watch_values,
)
from lambdas.jobs.cost import Cost, Spent
from lambdas.jobs.errors import InvalidJob
from lambdas.jobs.model import Attempt, Failure, Job, OwedLetter, StageRecord
from lambdas.jobs.status import (
    CANCELLATION,
    ENDS,
    ON_CANCEL,
    STAGE_CLOSED,
    StageStatus,
    Status,
    on_redrive,
    sources,
)

SETTLE = "settle"


class JobDeletedError(Exception):
    """The owner has deleted the job that a message asks for."""


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """What is left of a job that was deleted; `due_at` is when the reconciler looks for what late writers have left."""

    deleted_at: str
    due_at: str | None


class JobTable:
    """The rows of the jobs. Every method raises TransientError when the table is throttled or out of reach."""

    def __init__(self, name: str) -> None:
        self._name = name

    def get(self, owner: str, job_id: str) -> Job | None:
        """Read a job as it is at this moment; None when the owner has none by this id."""
        job = job_in(self._item(owner, job_id))
        return None if job is None or is_expired(job) else job

    def is_cancelled_unseen(self, owner: str, job_id: str) -> bool:
        """Tell whether there is a note that the owner has cancelled an id before its message was read."""
        return CANCELLED_UNSEEN in unmarshal(self._item(owner, job_id) or {})

    def deletion(self, owner: str, job_id: str) -> Deletion | None:
        """Read the note that the owner has deleted a job; None when there is none."""
        row = unmarshal(self._item(owner, job_id) or {})
        return Deletion(deleted_at=row[DELETED], due_at=row.get(keys.DUE_AT)) if DELETED in row else None

    def _item(self, owner: str, job_id: str) -> Item | None:
        with translated("Reading the job"):
            answer = client("dynamodb").get_item(TableName=self._name, Key=key(owner, job_id), ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    def put_new(self, job: Job, *, cost_if_cancelled: Cost | None = None) -> Job:
        """Write a job down unless it is there already, and return what is there then.

        The first submission of an id wins. One that its owner has cancelled before it was read is written as CANCELLED,
        and has cost `cost_if_cancelled`.
        Raises JobDeletedError when it was sent before its owner deleted the job, and InvalidJob when it was sent after
        that: an id is used once. Only a FAILED job may then be written, to say so.
        """
        # The time to live deletes late: what has expired is as good as gone.
        old = self._put_if(job, f"attribute_not_exists({keys.JOB_ID}) OR {keys.EXPIRES_AT} < :present")
        if old is None:
            return job
        if DELETED in old:
            return self._put_after_deletion(job, old[DELETED])
        if not is_note(old):
            return from_row(old)
        cancelled = replace(_cancelled_before_it_was_seen(job, old[CANCELLED_UNSEEN]), cost=cost_if_cancelled)
        old = self._put_if(cancelled, f"attribute_exists({CANCELLED_UNSEEN})")
        return cancelled if old is None else from_row(old)

    def _put_after_deletion(self, job: Job, deleted_at: str) -> Job:
        if job.created_at <= deleted_at:
            raise JobDeletedError
        if job.status is not Status.FAILED:
            raise InvalidJob(f"An earlier job has had the id {job.job_id}. Submit this one under another id.")
        old = self._put_if(job, f"attribute_exists({DELETED})")
        return job if old is None else from_row(old)

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
            old = old_item(error)
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
            raise RefusedError(job_in(old_item(error))) from error

    def delete(self, job: Job, *, due_at: str, expires_at: int, now: str) -> None:
        """Leave, of a job as the caller has seen it, no more than a note that it is deleted, until `expires_at`.

        Whoever still works for it is refused by the note, and at `due_at` the reconciler deletes what they have left.
        Raises RefusedError when the job has moved on since it was read.
        """
        note = {
            keys.OWNER: job.owner,
            keys.JOB_ID: job.job_id,
            DELETED: now,
            keys.WATCH_SHARD: keys.watch_shard(job.job_id),
            keys.DUE_AT: due_at,
            keys.EXPIRES_AT: expires_at,
        }
        try:
            with translated("Deleting the job"):
                client("dynamodb").put_item(
                    TableName=self._name,
                    Item=marshal(note),
                    ConditionExpression=f"{THIS_ATTEMPT} AND #status = :seen",
                    ExpressionAttributeNames={"#status": "status"},
                    ExpressionAttributeValues=marshal({":attempt": job.attempt, ":seen": job.status.value}),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            raise RefusedError(job_in(old_item(error))) from error

    def begin_stage(self, attempt: Attempt, stage: str, *, token: str, now: str, retries: int = 0) -> Job:
        """Mark a stage as running, and the job with it; return the job. `retries` of its state there were before.

        Raises RefusedError when the attempt may not run, is late, or the stage has nothing left to do.
        """
        values = {":stageRunning": StageStatus.RUNNING} | CLOSED
        may_run, statuses = one_of("#status", (*sources(Status.RUNNING), Status.RUNNING))
        not_our_own_repeat = "NOT tokens.#tokenOf = :token"  # or one try would count as two
        return update_row(
            self._name,
            attempt,
            f"SET {NEXT_VERSION}, #status = :running, {keys.OWNER_AND_STATUS} = :ownerAndStatus, "
            "startedAt = if_not_exists(startedAt, :now), "
            "stages.#stage.#status = :stageRunning, stages.#stage.attempt = :attempt, "
            "stages.#stage.tries = stages.#stage.tries + :one, "
            "stages.#stage.startedAt = if_not_exists(stages.#stage.startedAt, :now), "
            "stages.#stage.triedAt = :now, stages.#stage.retries = :retries, tokens.#tokenOf = :token "
            "REMOVE stages.#stage.#error",
            f"{THIS_ATTEMPT} AND {may_run} AND {NOT_LATE} AND {KNOWN_STAGE} AND {STAGE_IS_OPEN} "
            f"AND {not_our_own_repeat}",
            values
            | statuses
            | status_values(attempt.owner, Status.RUNNING, ":running")
            | {":token": token, ":now": now, ":retries": retries},
            stage=stage,
            token_of=f"begin-{stage}",
        )

    def add_stage(self, attempt: Attempt, stage: str, record: StageRecord, *, now: str) -> Job:
        """Give a job a stage that did not exist yet when it was submitted. Raises RefusedError like `begin_stage`."""
        may_run, statuses = one_of("#status", (*sources(Status.RUNNING), Status.RUNNING))
        return update_row(
            self._name,
            attempt,
            f"SET {NEXT_VERSION}, stages.#stage = :record",
            f"{THIS_ATTEMPT} AND {may_run} AND NOT {KNOWN_STAGE}",
            statuses | {":record": stage_to_row(record), ":now": now},
            stage=stage,
        )

    def report_progress(self, attempt: Attempt, stage: str, percent: int, *, now: str) -> Job:
        """Say how far a running stage has come. Raises RefusedError when it may not run any more, or was further."""
        return update_row(
            self._name,
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
        checksums: Mapping[str, str],
        ends_job: bool,
        fingerprint_key: str | None = None,
        skipping: Mapping[str, str] | None = None,
        spent: Spent | None = None,
        cost: Cost | None = None,
        token: str,
        now: str,
    ) -> Job:
        """Store what a stage found, and settle the job as SUCCEEDED with its last stage; return the job.

        `spent` is what all tries of the stage have, this one too, and `cost` is of a job that ends. From then on it is
        found by its `fingerprint_key`: the same write puts it into that index. `skipping` are other stages that, as has
        turned out, have nothing to do, with the reasons.
        Raises RefusedError when the attempt may not run any more or the stage is done already.
        """
        attribute, stored = ("#result", result) if result_key is None else ("resultKey", result_key)
        settled = (
            f", #status = :succeeded, {keys.OWNER_AND_STATUS} = :ownerAndStatus, finishedAt = :now" if ends_job else ""
        ) + (f", {keys.FINGERPRINT} = :fingerprint" if ends_job and fingerprint_key else "")
        paid = (", stages.#stage.spent = :spent" if spent else "") + (f", {COST} = :cost" if cost else "")
        still_running, statuses = one_of("#status", sources(Status.SUCCEEDED))
        skips = dict(enumerate((skipping or {}).items()))
        skipped = "".join(f", stages.#skip{i}.#status = :skipped, stages.#skip{i}.reason = :reason{i}" for i in skips)
        values = {":stageDone": StageStatus.DONE, ":hundred": 100} | CLOSED
        values |= status_values(attempt.owner, Status.SUCCEEDED, ":succeeded") if ends_job else {}
        values |= {":fingerprint": fingerprint_key} if ends_job and fingerprint_key else {}
        return update_row(
            self._name,
            attempt,
            f"SET {NEXT_VERSION}, stages.#stage.#status = :stageDone, stages.#stage.progress = :hundred, "
            f"stages.#stage.finishedAt = :now, stages.#stage.{attribute} = :result, "
            f"stages.#stage.folder = :folder, stages.#stage.checksums = :checksums, "
            f"tokens.#tokenOf = :token{settled}{skipped}{paid} "
            f"REMOVE stages.#stage.#error{f', {UNWATCH}' if ends_job else ''}",
            f"{THIS_ATTEMPT} AND {still_running} AND {KNOWN_STAGE} AND {STAGE_IS_OPEN}",
            values
            | statuses
            | {":result": stored, ":folder": folder, ":checksums": dict(checksums), ":token": token, ":now": now}
            | {f":reason{i}": reason for i, (_, reason) in skips.items()}
            | ({":spent": spent_to_row(spent)} if spent else {})
            | ({":cost": cost.text()} if cost else {}),
            stage=stage,
            token_of=f"end-{stage}",
            further_names={f"#skip{i}": name for i, (name, _) in skips.items()},
        )

    def record_stage_failure(
        self, attempt: Attempt, stage: str, failure: Failure, *, spent: Spent | None = None, token: str, now: str
    ) -> Job:
        """Write down why a try of a stage failed, and what all its tries have `spent`; `token` is that of its begin.

        Raises RefusedError when the attempt is over or a later try has begun: that one is not to be called failed.
        """
        return update_row(
            self._name,
            attempt,
            f"SET {NEXT_VERSION}, stages.#stage.#status = :stageFailed, stages.#stage.#error = :failure"
            f"{', stages.#stage.spent = :spent' if spent else ''}",
            f"{THIS_ATTEMPT} AND #status = :running AND stages.#stage.#status = :stageRunning "
            "AND tokens.#tokenOf = :token",
            {
                ":stageFailed": StageStatus.FAILED,
                ":stageRunning": StageStatus.RUNNING,
                ":running": Status.RUNNING,
                ":failure": failure_to_row(failure),
                ":token": token,
                ":now": now,
                **({":spent": spent_to_row(spent)} if spent else {}),
            },
            stage=stage,
            token_of=f"begin-{stage}",
            own_token_is_success=False,
        )

    def cancel(self, job: Job, *, cost: Cost | None = None, due_at: str, now: str) -> Job:
        """Take a job from the status that the caller has seen to where a cancel leads; return it.

        At `due_at` the reconciler looks for what it has left behind.

        Raises RefusedError when the job has moved in between, KeyError when a cancel leads nowhere from its status.
        """
        target = ON_CANCEL[job.status]
        end = ", finishedAt = :now" if target in ENDS else ""
        end += f", {COST} = :cost" if cost else ""
        return update_row(
            self._name,
            job.current,
            f"SET {NEXT_VERSION}, #status = :target, {keys.OWNER_AND_STATUS} = :ownerAndStatus, "
            f"cancelRequestedAt = :now, {WATCH}{end}",
            f"{THIS_ATTEMPT} AND #status = :seen",
            status_values(job.owner, target, ":target")
            | watch_values(job.job_id, due_at)
            | {":seen": job.status, ":now": now}
            | ({":cost": cost.text()} if cost else {}),
        )

    def settle_failed(
        self,
        attempt: Attempt,
        failure: Failure,
        letter: OwedLetter,
        *,
        even_if_cancelling: bool = False,
        cost: Cost | None = None,
        due_at: str,
        token: str,
        now: str,
    ) -> Job:
        """Bring a job to the end FAILED, with a dead letter that it owes; return it. Raises RefusedError.

        At `due_at` the reconciler sends the letter if it is still owed. One that is being cancelled fails only when the
        clean-up itself has failed: `even_if_cancelling`.
        """
        may_fail = [status for status in sources(Status.FAILED) if even_if_cancelling or status not in CANCELLATION]
        return self._settle(
            attempt,
            Status.FAILED,
            may_fail,
            f", #error = :failure, {OWED_LETTER} = :letter",
            {":failure": failure_to_row(failure), ":letter": owed_letter_to_row(letter)},
            cost=cost,
            due_at=due_at,
            token=token,
            now=now,
        )

    def settle_cancelled(self, attempt: Attempt, *, cost: Cost | None = None, due_at: str, token: str, now: str) -> Job:
        """Bring a job to the end CANCELLED; return it. Raises RefusedError.

        At `due_at` the reconciler deletes what a late writer has left.
        """
        may_end = sources(Status.CANCELLED)
        return self._settle(attempt, Status.CANCELLED, may_end, "", {}, cost=cost, due_at=due_at, token=token, now=now)

    def redrive(self, job: Job, *, deadline_at: str | None, due_at: str, everything: bool, now: str) -> Job:
        """Take a failed job to its next attempt, which does what is not done yet, or `everything`; return it.

        Raises RefusedError when it has moved on since it was read.
        """
        target = on_redrive(cancel_requested=job.cancel_requested_at is not None)
        reopened = [
            name
            for name, record in job.stages.items()
            if record.status not in STAGE_CLOSED or (everything and record.status is StageStatus.DONE)
        ]
        names = {f"#open{index}": name for index, name in enumerate(reopened)}
        records = {f":open{index}": stage_to_row(job.stages[name].reopened()) for index, name in enumerate(reopened)}
        deadline = ("", ", deadlineAt") if deadline_at is None else (", deadlineAt = :deadline", "")
        stages = "".join(f", stages.#open{index} = :open{index}" for index in range(len(reopened)))
        return update_row(
            self._name,
            job.current,
            f"SET {NEXT_VERSION}, attempt = attempt + :one, execution = :execution, #status = :target, "
            f"{keys.OWNER_AND_STATUS} = :ownerAndStatus, {WATCH}{deadline[0]}{stages} "
            f"REMOVE #error, finishedAt, {OWED_LETTER}{deadline[1]}",
            f"{THIS_ATTEMPT} AND #status = :failed",
            records
            | status_values(job.owner, target, ":target")
            | watch_values(job.job_id, due_at)
            | {":failed": Status.FAILED, ":execution": job.next.execution_name, ":deadline": deadline_at, ":now": now},
            further_names=names,
        )

    def _settle(
        self,
        attempt: Attempt,
        end: Status,
        may_end: Iterable[Status],
        further: str,
        values: Mapping[str, Any],
        *,
        cost: Cost | None,
        due_at: str,
        token: str,
        now: str,
    ) -> Job:
        """Bring a job to an end. Raises RefusedError when it has one already, or is at another attempt."""
        from_there, statuses = one_of("#status", may_end)
        return update_row(
            self._name,
            attempt,
            f"SET {NEXT_VERSION}, #status = :end, {keys.OWNER_AND_STATUS} = :ownerAndStatus, finishedAt = :now, "
            f"tokens.#tokenOf = :token, {WATCH}{further}{f', {COST} = :cost' if cost else ''}",
            f"{THIS_ATTEMPT} AND {from_there}",
            {
                **values,
                **statuses,
                **status_values(attempt.owner, end, ":end"),
                **watch_values(attempt.job_id, due_at),
                **({":cost": cost.text()} if cost else {}),
                ":token": token,
                ":now": now,
            },
            token_of=SETTLE,
        )


def _cancelled_before_it_was_seen(job: Job, cancelled_at: str) -> Job:
    """Nothing has run, so nothing is left behind that the reconciler would have to look for."""
    return replace(
        job,
        status=Status.CANCELLED,
        cancel_requested_at=cancelled_at,
        finished_at=job.updated_at,
        due_at=None,
        error=None,
        owed_letter=None,
    )
