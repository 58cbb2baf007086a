"""The log of events: what has happened to each job, to be read again by whoever has missed some of it."""

import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lambdas.adapters.aws_errors import translated
from lambdas.adapters.clients import client
from lambdas.adapters.job_items import Item, marshal, unmarshal
from lambdas.jobs.errors import TransientError

OWNER_AND_JOB: Final = "ownerAndJob"
"""Partition key: an owner's job."""
SEQ: Final = "seq"
"""Sort key: the number of the change, from 1."""
EVENT: Final = "event"
"""The event as JSON text."""
EXPIRES_AT: Final = "expiresAt"

BATCH_SIZE: Final = 25
"""BatchWriteItem's limit."""
HELD_BACK: Final = timedelta(minutes=1)
"""How long an event that follows a gap is not told: a batch may be half written. What is missing then was lost."""
PAUSES_SECONDS: Final = (0.1, 0.2, 0.4, 0.8)
"""Between writes of what DynamoDB has left unwritten, each cut short at random."""


class EventLog:
    """The table of events. Raises TransientError when it is throttled or out of reach."""

    def __init__(self, table_name: str) -> None:
        self._table_name = table_name

    def append(self, entries: Iterable[tuple[str, int, Mapping[str, Any]]]) -> None:
        """Write events down, each with its owner and when it may be forgotten, in seconds since the epoch.

        Repeating it is harmless.
        """
        # The same key twice in one request is refused; the later one says the same.
        items = {(owner, event["subject"], event["data"]["seq"]): (expires, event) for owner, expires, event in entries}
        requests = [
            {"PutRequest": {"Item": _item(owner, job_id, seq, expires, event)}}
            for (owner, job_id, seq), (expires, event) in items.items()
        ]
        self._write_all(requests)

    def forget(self, owner: str, job_id: str, last: int) -> None:
        """Delete the events 1 to `last` of a job. Repeating it is harmless."""
        partition = _partition(owner, job_id)
        self._write_all(
            [{"DeleteRequest": {"Key": marshal({OWNER_AND_JOB: partition, SEQ: seq})}} for seq in range(1, last + 1)]
        )

    def _write_all(self, requests: Sequence[Any]) -> None:
        for start in range(0, len(requests), BATCH_SIZE):
            self._write(requests[start : start + BATCH_SIZE])

    def _write(self, requests: Sequence[Any]) -> None:
        pending = list(requests)
        for pause in (*PAUSES_SECONDS, None):
            with translated("Writing the events"):
                answer = client("dynamodb").batch_write_item(RequestItems={self._table_name: pending})
            pending = answer.get("UnprocessedItems", {}).get(self._table_name, [])
            if not pending:
                return
            if pause is not None:
                time.sleep(random.uniform(0, pause))  # noqa: S311 - jitter, no secret
        raise TransientError("Writing the events: DynamoDB leaves some unwritten.")

    def after(self, owner: str, job_id: str, seq: int, *, limit: int) -> list[dict[str, Any]]:
        """Read a job's events beyond `seq`, in their order, `limit` of them at most."""
        with translated("Reading the events"):
            answer = client("dynamodb").query(
                TableName=self._table_name,
                KeyConditionExpression=f"{OWNER_AND_JOB} = :job AND {SEQ} > :seq",
                ExpressionAttributeValues=marshal({":job": _partition(owner, job_id), ":seq": seq}),
                ConsistentRead=True,
                Limit=limit,
            )
        rows = [unmarshal(item) for item in answer["Items"]]
        # The time to live deletes late: these are of an earlier job by the same id.
        known = [json.loads(row[EVENT]) for row in rows if row[EXPIRES_AT] > time.time()]
        return list(_without_young_gaps(known, seq))


def _without_young_gaps(events: Iterable[dict[str, Any]], seq: int) -> Iterator[dict[str, Any]]:
    for event in events:
        found = event["data"]["seq"]
        if found != seq + 1 and datetime.fromisoformat(event["time"]) > datetime.now(UTC) - HELD_BACK:
            return
        yield event
        seq = found


def _item(owner: str, job_id: str, seq: int, expires_at: int, event: Mapping[str, Any]) -> Item:
    return marshal(
        {
            OWNER_AND_JOB: _partition(owner, job_id),
            SEQ: seq,
            EVENT: json.dumps(event),
            EXPIRES_AT: expires_at,
        }
    )


def _partition(owner: str, job_id: str) -> str:
    return f"{owner}#{job_id}"
