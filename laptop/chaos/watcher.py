"""Sees every change of every row: from the table's stream, and from the table itself after a restart."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.adapters.job_items import is_note, unmarshal
from laptop.chaos.arena import Arena
from laptop.chaos.history import Row, Seen

ENDS: Final = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
_PAUSE_SECONDS: Final = 0.2

OnChange = Callable[[str, Seen | None, Seen], None]


class Watcher:
    """Follows the table in a thread of its own, and tells of each change of a job."""

    def __init__(self, arena: Arena, on_change: OnChange) -> None:
        self._arena = arena
        self._on_change = on_change
        self._streams = arena.aws("dynamodbstreams")
        self._table = arena.aws("dynamodb")
        self._lock = threading.Lock()
        self._seen: dict[str, list[Seen]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, having seen everything that there is."""
        self._stopping.set()
        self._thread.join()
        self._look_at_all()

    def seen(self) -> dict[str, list[Seen]]:
        """Every change so far, by job."""
        with self._lock:
            return {job: list(changes) for job, changes in self._seen.items()}

    def latest(self, job: str) -> Seen | None:
        """A job as it was seen last."""
        with self._lock:
            return self._seen[job][-1] if job in self._seen else None

    def statuses(self) -> dict[str, str]:
        """The status of every job, as it was seen last."""
        with self._lock:
            return {job: changes[-1].status for job, changes in self._seen.items()}

    def rows(self) -> dict[str, Row]:
        """Read all rows, now."""
        pages = self._table.get_paginator("scan").paginate(
            TableName=self._arena.outputs["JobTableName"], ConsistentRead=True
        )
        rows = (unmarshal(item) for page in pages for item in page["Items"])
        return {row["jobId"]: row for row in rows if not is_note(row)}

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                for row in self._changes():
                    self._take(row)
            except (BotoCoreError, ClientError):
                # It is restarted just now, and its streams begin anew with it.
                time.sleep(_PAUSE_SECONDS)

    def _changes(self) -> Iterator[Row]:
        """Rows in the order of their changes, until told to stop."""
        iterator, is_caught_up = self._begin(), False
        while iterator and not self._stopping.is_set():
            answer = self._streams.get_records(ShardIterator=iterator)
            iterator = answer["NextShardIterator"]
            for record in answer["Records"]:
                if image := record["dynamodb"].get("NewImage"):
                    yield unmarshal(image)
            if answer["Records"]:
                continue
            if not is_caught_up:
                # What the stream has lost by a restart is in the table.
                yield from self.rows().values()
                is_caught_up = True
            time.sleep(_PAUSE_SECONDS)

    def _begin(self) -> str:
        (stream,) = self._streams.list_streams(TableName=self._arena.outputs["JobTableName"])["Streams"]
        arn = stream["StreamArn"]
        (shard,) = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        answer = self._streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        return str(answer["ShardIterator"])

    def _look_at_all(self) -> None:
        for row in self.rows().values():
            self._take(row)

    def _take(self, row: Row) -> None:
        if is_note(row):
            return
        now = Seen(at=time.time(), row=row)
        with self._lock:
            changes = self._seen.setdefault(str(row["jobId"]), [])
            before = changes[-1] if changes else None
            if before and before.version >= now.version:
                return
            changes.append(now)
        self._on_change(str(row["jobId"]), before, now)
