"""What one owner may take up: a turn in the queue, and so many unfinished jobs."""

import json
from typing import Any

import pytest
from darkroom import Client, JobStatus

from lambdas.adapters import keys
from lambdas.adapters.job_items import marshal, to_row
from lambdas.jobs.model import Job
from lambdas.jobs.status import Status
from laptop import users
from laptop.deployment import Deployment
from laptop.places import ROOT
from laptop.users import User
from laptop.world import World

BUSY = User("busy@darkroom.example")
LONG_AFTER = 4_000_000_000
"""Seconds since 1970."""


@pytest.fixture
def busy(deployed: Deployment, tmp_path: Any) -> Any:
    """Somebody with as many unfinished jobs as there may be."""
    users.create(deployed, BUSY)
    limit = json.loads((ROOT / "cdk.json").read_text())["context"]["environments"]["laptop"]["max_open_jobs"]
    with users.sign_in(deployed, BUSY, tmp_path / "profile.json") as client:
        owner = users.owner(client)
        _write(deployed, [{"PutRequest": {"Item": _running(owner, number)}} for number in range(limit)])
        yield client
        _write(deployed, [{"DeleteRequest": {"Key": _key(owner, number)}} for number in range(limit)])


def test_owners_take_turns_in_the_queue(world: World, client: Client, stranger: Client, image_id: str) -> None:
    with world.queue_unread():
        job_ids = [(who, who.submit(image_id).job_id) for who in (client, client, stranger)]
        turns = world.groups(world.outputs["JobQueueUrl"])
        assert sorted(map(str, turns)) == sorted([users.owner(client), users.owner(client), users.owner(stranger)])
        for who, job_id in job_ids:
            who.cancel(job_id)


def test_one_job_too_many_fails_and_runs_when_there_is_room(
    deployed: Deployment, busy: Client, world: World, photos: Any
) -> None:
    image_id = busy.upload(photos / "freespace.jpg")
    job_id = busy.submit(image_id).job_id
    job = list(busy.watch(job_id))[-1]
    assert (job.status, job.error and job.error.error_class) == (JobStatus.FAILED, "TooManyJobs")
    assert world.executions(job_id) == []
    assert [letter["errorClass"] for letter in world.dead_letters(job_id)] == ["TooManyJobs"]

    _write(deployed, [{"DeleteRequest": {"Key": _key(users.owner(busy), 0)}}])
    busy.redrive(job_id)
    assert list(busy.watch(job_id))[-1].status is JobStatus.SUCCEEDED
    assert len(world.executions(job_id)) == 1


def _key(owner: str, number: int) -> dict[str, Any]:
    return {keys.OWNER: {"S": owner}, keys.JOB_ID: {"S": f"open-{number}"}}


def _running(owner: str, number: int) -> dict[str, Any]:
    """What the limit counts: a row whose status is that of a job that runs. The reconciler is not to look at it."""
    created = "2026-01-01T00:00:00.000Z"
    job = Job(
        owner=owner,
        job_id=f"open-{number}",
        status=Status.RUNNING,
        attempt=1,
        image_id="none",
        analyses=(),
        options={},
        tags={},
        stages={},
        created_at=created,
        updated_at=created,
        expires_at=LONG_AFTER,
    )
    return marshal(to_row(job))


def _write(deployed: Deployment, requests: list[dict[str, Any]]) -> None:
    table = deployed.outputs["JobTableName"]
    for start in range(0, len(requests), 25):  # BatchWriteItem's limit
        deployed.client("dynamodb").batch_write_item(RequestItems={table: requests[start : start + 25]})
