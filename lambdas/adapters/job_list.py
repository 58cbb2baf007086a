"""Lists of jobs: an owner's, newest first, a page at a time."""

import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lambdas.adapters import keys
from lambdas.adapters.aws_errors import translated
from lambdas.adapters.clients import client
from lambdas.adapters.job_items import Item, key, marshal, unmarshal
from lambdas.adapters.row_writes import is_expired, job_in
from lambdas.jobs.errors import TransientError
from lambdas.jobs.model import Job
from lambdas.jobs.status import OPEN, Status

PAUSES_SECONDS = (0.1, 0.2, 0.4, 0.8)
"""Between reads of what DynamoDB has left unread, each cut short at random."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some of an owner's jobs, newest first, and where the next ones begin."""

    jobs: Sequence[Job]
    next_key: Mapping[str, str] | None


class JobList:
    """The two indexes of the job table by owner. Raises TransientError when they are throttled or out of reach."""

    def __init__(self, table_name: str) -> None:
        self._table_name = table_name

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
                TableName=self._table_name,
                IndexName=index,
                KeyConditionExpression="#name = :value",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues=marshal({":value": value}),
                ScanIndexForward=False,
                Limit=limit,
                **({"ExclusiveStartKey": marshal(start)} if start else {}),
            )
        found = [unmarshal(item) for item in answer["Items"]]
        jobs = self.rows(owner, [row[keys.JOB_ID] for row in found])
        last = answer.get("LastEvaluatedKey")
        return Page(
            jobs=[job for job in jobs if status in (None, job.status) and not is_expired(job)],
            next_key=unmarshal(last) if last else None,
        )

    def count_open(self, owner: str, *, limit: int) -> int:
        """Count an owner's unfinished jobs, `limit` at most, so that nothing above it is read or paid for.

        The index may lag by the jobs of a moment: it never forgets one, as a counter does when its writer dies.
        """
        found = 0
        for status in sorted(OPEN):
            start: Item | None = None
            while found < limit:
                with translated("Counting the jobs"):
                    answer = client("dynamodb").query(
                        TableName=self._table_name,
                        IndexName=keys.BY_OWNER_AND_STATUS_INDEX,
                        KeyConditionExpression=f"{keys.OWNER_AND_STATUS} = :value",
                        ExpressionAttributeValues=marshal({":value": keys.owner_and_status(owner, status)}),
                        Select="COUNT",
                        Limit=limit - found,
                        **({"ExclusiveStartKey": start} if start else {}),
                    )
                found += int(answer["Count"])
                start = answer.get("LastEvaluatedKey")
                if start is None:
                    break
        return found

    def rows(self, owner: str, job_ids: Sequence[str]) -> list[Job]:
        """Read many rows, in the order asked for; those that are gone by now are left out."""
        rows: dict[str, Job] = {}
        for chunk in _chunks(job_ids, 100):  # BatchGetItem's limit
            pending = [key(owner, job_id) for job_id in chunk]
            for pause in (*PAUSES_SECONDS, None):
                if not pending:
                    break
                with translated("Reading the jobs"):
                    answer = client("dynamodb").batch_get_item(
                        RequestItems={self._table_name: {"Keys": pending, "ConsistentRead": True}}
                    )
                for item in answer["Responses"].get(self._table_name, []):
                    job = job_in(item)
                    if job is not None:  # the index may still have one that was deleted a moment ago
                        rows[job.job_id] = job
                pending = answer.get("UnprocessedKeys", {}).get(self._table_name, {}).get("Keys", [])
                if pending and pause is None:
                    raise TransientError("Reading the jobs: DynamoDB leaves some unread.")
                if pending and pause:
                    time.sleep(random.uniform(0, pause))  # noqa: S311 - jitter, no secret
        return [rows[job_id] for job_id in job_ids if job_id in rows]


def _chunks(items: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
