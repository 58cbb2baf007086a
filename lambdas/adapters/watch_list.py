"""The jobs that the reconciler is to look at, each when it is due. What is over for good is not among them."""

from collections.abc import Sequence
from dataclasses import dataclass

from lambdas.adapters import keys
from lambdas.adapters.aws_errors import ClientError, translated
from lambdas.adapters.clients import client
from lambdas.adapters.job_items import DELETED, OWED_LETTER, Item, key, marshal, unmarshal
from lambdas.adapters.row_writes import (
    THIS_ATTEMPT,
    UNWATCH,
    WATCH,
    RefusedError,
    job_in,
    old_item,
    update_row,
    watch_values,
)
from lambdas.jobs.model import Attempt, Job
from lambdas.jobs.status import Status


@dataclass(frozen=True, kw_only=True)
class DuePage:
    """Some of the jobs that are due, as owner and id, and where the next ones begin."""

    jobs: Sequence[tuple[str, str]]
    next_start: Item | None


class WatchList:
    """The sparse index of the job table. Every method raises TransientError when it is throttled or out of reach."""

    def __init__(self, table_name: str) -> None:
        self._table_name = table_name

    def due(self, shard: str, *, now: str, limit: int, start: Item | None = None) -> DuePage:
        """List jobs that the reconciler is to look at, longest overdue first.

        The index lags: read the row to decide.
        """
        with translated("Listing what is due"):
            answer = client("dynamodb").query(
                TableName=self._table_name,
                IndexName=keys.BY_DUE_INDEX,
                KeyConditionExpression=f"{keys.WATCH_SHARD} = :shard AND {keys.DUE_AT} <= :now",
                ExpressionAttributeValues=marshal({":shard": shard, ":now": now}),
                Limit=limit,
                **({"ExclusiveStartKey": start} if start else {}),
            )
        rows = [unmarshal(item) for item in answer["Items"]]
        found = [(row[keys.OWNER], row[keys.JOB_ID]) for row in rows]
        return DuePage(jobs=found, next_start=answer.get("LastEvaluatedKey"))

    def claim(self, job: Job, *, due_at: str) -> Job:
        """Take it on oneself to look at a job, which is due again at `due_at` in case nothing comes of it; return it.

        Raises RefusedError when somebody else was faster, or the job has moved on.
        """
        return update_row(
            self._table_name,
            job.current,
            f"SET {WATCH}",
            f"{THIS_ATTEMPT} AND #status = :seen AND {keys.DUE_AT} = :seenDue",
            watch_values(job.job_id, due_at) | {":seen": job.status, ":seenDue": job.due_at},
        )

    def unwatch(self, job: Job) -> None:
        """Note that nothing is left that could go wrong with a job. Raises RefusedError when it has moved on."""
        update_row(
            self._table_name,
            job.current,
            f"REMOVE {UNWATCH}",
            f"{THIS_ATTEMPT} AND #status = :seen",
            {":seen": job.status},
        )

    def unwatch_deleted(self, owner: str, job_id: str) -> None:
        """Note that nothing is left of a job that was deleted. Raises RefusedError when its note is gone."""
        try:
            with translated("Writing the note"):
                client("dynamodb").update_item(
                    TableName=self._table_name,
                    Key=key(owner, job_id),
                    UpdateExpression=f"REMOVE {UNWATCH}",
                    ConditionExpression=f"attribute_exists({DELETED})",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            raise RefusedError(job_in(old_item(error))) from error

    def note_letter_sent(self, attempt: Attempt) -> None:
        """Note that a failed job owes no dead letter any more. Raises RefusedError when it is at another attempt."""
        update_row(
            self._table_name,
            attempt,
            f"REMOVE {OWED_LETTER}, {UNWATCH}",
            f"{THIS_ATTEMPT} AND #status = :failed",
            {":failed": Status.FAILED},
        )
