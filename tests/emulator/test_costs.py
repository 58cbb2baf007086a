"""What jobs say that they have cost, against the sum by hand: of their execution's history, their row's stream, their
artefacts and the table of prices. Nothing here is taken from the code that computes a job's cost.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
from darkroom import Client, Job, JobStatus

from lambdas.adapters.job_items import unmarshal
from lambdas.jobs.prices import PRICES, Charge
from lambdas.stages.catalogue import BY_NAME
from laptop.deployment import Deployment
from laptop.waiting import wait_for
from laptop.world import World

WITHIN = 0.05
FUNCTION_GB = 0.5
ACCEPTING_SECONDS, PUBLISHING_SECONDS = 0.05, 0.03
"""Of the functions that no history has: docs/cost.md says so."""
INVOKE = "arn:aws:states:::lambda:invoke"
THROTTLED = "Lambda.TooManyRequestsException"
Event = Mapping[str, Any]


class ByHand:
    """The sum, by what is charged."""

    def __init__(self, deployed: Deployment, world: World, job: Job, *, object_writes: int) -> None:
        events = self._history(world, job)
        self._changes = changes(deployed, job.job_id)
        self.counts = {
            Charge.TRANSITIONS: transitions(events),
            Charge.INVOCATIONS: 1 + invocations(events) + len(self._changes),
            Charge.GB_SECONDS: gb_seconds(events)
            + FUNCTION_GB * (ACCEPTING_SECONDS + PUBLISHING_SECONDS * len(self._changes)),
            # Each write of the row by its size, an event's entry in the log, and what moves in the indexes.
            Charge.TABLE_WRITES: sum(units(before, after) for before, after in self._changes)
            + len(self._changes)
            + self._index_writes(),
            Charge.OBJECT_READS: sum(entry.tries for entry in job.timeline),
            Charge.OBJECT_WRITES: object_writes,
            Charge.API_REQUESTS: 1,
            Charge.FAIR_QUEUE_REQUESTS: 3,
            Charge.BUS_EVENTS: len(self._changes),
        }
        self.usd = sum(PRICES[charge].usd * count for charge, count in self.counts.items())

    @staticmethod
    def _history(world: World, job: Job) -> Sequence[Event]:
        assert wait_for(lambda: world.execution(job.execution or "")["status"] != "RUNNING")
        return world.history(world.execution(job.execution or ""))

    def _index_writes(self) -> int:
        """Count entries that are put, deleted, or both where their key changes, in the four indexes of the table."""
        keys = (("owner", "createdKey"), ("ownerAndStatus", "createdKey"), ("watchShard", "dueAt"), ("fingerprint",))
        writes = 0
        for before, after in self._changes:
            for names in keys:
                old, new = tuple(before.get(name) for name in names), tuple(after.get(name) for name in names)
                writes += 0 if old == new else (None not in old) + (None not in new)
        return writes


def transitions(events: Sequence[Event]) -> int:
    """Every state entered, and every task once for each try: the history leaves out states inside a Parallel state."""
    others = [event for event in events if event["type"].endswith("StateEntered") and event["type"][:4] != "Task"]
    return len(others) + sum(event["type"] == "TaskScheduled" for event in events)


def is_of_function(event: Event) -> bool:
    details = [value for name, value in event.items() if name.endswith("EventDetails")]
    return bool(details) and details[0].get("resource") == INVOKE


def throttled(events: Sequence[Event]) -> int:
    return sum(event.get("taskFailedEventDetails", {}).get("error") == THROTTLED for event in events)


def invocations(events: Sequence[Event]) -> int:
    scheduled = sum(event["type"] == "TaskScheduled" and is_of_function(event) for event in events)
    return scheduled - throttled(events)


def gb_seconds(events: Sequence[Event]) -> float:
    """From a task's begin to its end, times the memory of its function: those side by side have the same memory."""
    sum_of_seconds, memory = 0.0, FUNCTION_GB
    for event in events:
        if event["type"].endswith("StateEntered"):
            stage = event["stateEnteredEventDetails"]["name"].lower()
            memory = BY_NAME[stage].memory_mb / 1024 if stage in BY_NAME else FUNCTION_GB
        if event["type"].startswith("Task") and "State" not in event["type"] and is_of_function(event):
            sign = -1 if event["type"] == "TaskScheduled" else 1
            sum_of_seconds += sign * moment(event["timestamp"]) * memory
    return sum_of_seconds


def moment(written: Any) -> float:
    return (written if isinstance(written, datetime) else datetime.fromisoformat(written)).timestamp()


def changes(deployed: Deployment, job_id: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every change of a job's row, as the table's stream tells of it: before and after. Only those with a number."""
    streams = deployed.client("dynamodbstreams")
    stream = streams.list_streams(TableName=deployed.outputs["JobTableName"])["Streams"][0]["StreamArn"]
    found = []
    for shard in streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            page = streams.get_records(ShardIterator=iterator)
            iterator = page.get("NextShardIterator") if page["Records"] else None
            images = [
                (unmarshal(record["dynamodb"].get("OldImage", {})), unmarshal(record["dynamodb"].get("NewImage", {})))
                for record in page["Records"]
            ]
            found += [pair for pair in images if pair[1].get("jobId") == job_id]
    return [(before, after) for before, after in found if before.get("version") != after.get("version")]


def units(before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
    """A unit for each KB of the larger one; the length of its JSON is about its size."""
    return math.ceil(max(rough_size(before), rough_size(after)) / 1024)


def rough_size(value: Any) -> int:
    if isinstance(value, Mapping):
        return 3 + sum(1 + len(name) + rough_size(inner) for name, inner in value.items())
    if isinstance(value, list):
        return 3 + sum(1 + rough_size(inner) for inner in value)
    return len(value.encode()) if isinstance(value, str) else 2


def ended(client: Client, job_id: str) -> Job:
    return list(client.watch(job_id))[-1]


def check(by_hand: ByHand, job: Job) -> None:
    """Compare: the whole within 5 %, and what can be counted, exactly."""
    assert job.cost is not None
    told = {charge: amount.count for charge, amount in job.cost.usage.items()}
    print(f"{job.status}: told {job.cost.usd * 1e6:.2f}, by hand {by_hand.usd * 1e6:.2f} USD a million")
    for charge, count in by_hand.counts.items():
        print(f"  {charge}: told {told.get(charge, 0):g}, by hand {count:g}")
    assert told[Charge.TRANSITIONS] == by_hand.counts[Charge.TRANSITIONS]
    assert told[Charge.INVOCATIONS] == by_hand.counts[Charge.INVOCATIONS]
    assert job.cost.usd == pytest.approx(by_hand.usd, rel=WITHIN)


def test_cost_of_a_job_that_succeeds(
    client: Client, deployed: Deployment, world: World, owner: str, image_id: str
) -> None:
    ended(client, client.submit(image_id).job_id)  # the functions are warm then, as they are at work
    job = ended(client, client.submit(image_id).job_id)
    assert job.status is JobStatus.SUCCEEDED
    check(ByHand(deployed, world, job, object_writes=len(world.artefacts(owner, job.job_id))), job)


def test_cost_of_a_job_that_is_tried_again(
    client: Client, deployed: Deployment, world: World, owner: str, image_id: str
) -> None:
    with world.held("Palette"):
        job_id = client.submit(image_id).job_id
        assert wait_for(lambda: client.get(job_id).progress >= 70)
    job = ended(client, job_id)
    assert job.status is JobStatus.SUCCEEDED
    assert throttled(world.history(world.execution(job.execution or "")))
    check(ByHand(deployed, world, job, object_writes=len(world.artefacts(owner, job_id))), job)


def test_cost_of_a_job_that_fails(client: Client, deployed: Deployment, world: World) -> None:
    job = ended(client, client.submit(client.upload(b"This is no image.\n", "image/jpeg")).job_id)
    assert job.status is JobStatus.FAILED
    check(ByHand(deployed, world, job, object_writes=0), job)


def test_cost_of_a_job_that_is_cancelled(
    client: Client, deployed: Deployment, world: World, owner: str, image_id: str
) -> None:
    with world.held("Report"):
        job_id = client.submit(image_id).job_id
        assert wait_for(lambda: client.get(job_id).progress >= 85)
        made = len(world.artefacts(owner, job_id))
        client.cancel(job_id)
    job = ended(client, job_id)
    assert job.status is JobStatus.CANCELLED
    # What it had made, and the list of it for the clean-up.
    check(ByHand(deployed, world, job, object_writes=made + 1), job)
