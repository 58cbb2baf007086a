"""A job's ways through the whole system, judged by what AWS holds and not by what the API says of itself."""

import itertools
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from darkroom import Client, ConflictError, Job, JobStatus, NotFoundError, StageStatus

from laptop.deployment import Deployment
from laptop.waiting import wait_for
from laptop.world import World


def ended(client: Client, job_id: str) -> Job:
    """Wait for a job's end."""
    return list(client.watch(job_id))[-1]


def tries(job: Job, stage: str) -> int:
    """How often a stage was begun."""
    return next(entry.tries for entry in job.timeline if entry.stage == stage)


def kinds(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The events of one type."""
    return [event for event in events if event["type"] == kind]


def test_photograph_is_analysed_as_the_execution_history_tells(
    client: Client, world: World, owner: str, photos: Path
) -> None:
    job_id = client.submit(client.upload(photos / "picos-de-europa.jpg"), tags={"of": "a mountain"}).job_id
    seen = list(client.watch(job_id))
    job = seen[-1]
    assert job.status is JobStatus.SUCCEEDED
    assert [before.progress <= after.progress for before, after in itertools.pairwise(seen)].count(False) == 0
    assert re.fullmatch(rf"{job_id}-[0-9a-f]{{8}}-a1", job.execution or "")
    execution = world.execution(job.execution or "")
    assert execution["status"] == "SUCCEEDED"
    assert world.executions(job_id) == [job.execution]

    events = world.history(execution)
    worked = [entry for entry in job.timeline if entry.status is not StageStatus.SKIPPED]
    assert {entry.stage for entry in job.timeline} - {entry.stage for entry in worked} == {"regions", "labels"}
    # What few jobs want is not invoked for the others.
    assert len(kinds(events, "TaskScheduled")) == sum(entry.tries for entry in worked) == len(worked)
    assert not kinds(events, "TaskFailed")
    assert worked[0].stage == "inspect"
    assert worked[-1].stage == "report"
    times = [(entry.started_at, entry.finished_at) for entry in worked]
    began, stopped = execution["startDate"], execution["stopDate"]
    assert all(begin and end and began <= begin <= end <= stopped for begin, end in times)

    report = client.result(job_id)
    assert report["image"]["width"] == 3264
    assert set(report["analyses"]) == {"palette", "quality", "fingerprint", "codes"}
    assert client.artefact(job_id, "thumbnail").startswith(b"\xff\xd8")
    assert {"report.json", "preview.jpg", "thumbnail.jpg"} <= set(world.artefacts(owner, job_id))
    assert not world.dead_letters(job_id)


def test_extras_that_are_asked_for_are_done_or_say_why_not(client: Client, photos: Path) -> None:
    job_id = client.submit(client.upload(photos / "seeding.jpg"), analyses=["regions", "labels"]).job_id

    job = list(client.watch(job_id))[-1]

    assert job.status is JobStatus.SUCCEEDED
    stages = {entry.stage: entry for entry in job.timeline}
    assert stages["regions"].status is StageStatus.DONE
    assert (stages["labels"].status, stages["labels"].tries) == (StageStatus.SKIPPED, 0)
    assert "Amazon Rekognition" in (stages["labels"].reason or "")
    assert set(client.result(job_id)["analyses"]) == {"regions"}
    assert client.artefact(job_id, "heat-map").startswith(b"\x89PNG")


def test_stage_that_is_throttled_is_tried_again_and_succeeds(client: Client, world: World, image_id: str) -> None:
    with world.held("Palette"):
        job_id = client.submit(image_id).job_id
        assert wait_for(lambda: client.get(job_id).progress >= 70)
        throttled = kinds(world.history(world.execution(client.get(job_id).execution or "")), "TaskFailed")
    job = ended(client, job_id)
    assert throttled
    assert {event["taskFailedEventDetails"]["error"] for event in throttled} == {"Lambda.TooManyRequestsException"}
    assert job.status is JobStatus.SUCCEEDED
    assert not world.dead_letters(job_id)


def test_file_that_is_no_image_fails_once_and_leaves_one_letter(client: Client, world: World, owner: str) -> None:
    image_id = client.upload(b"Somebody renamed a letter to .jpg.\n", "image/jpeg")
    job_id = client.submit(image_id).job_id
    job = ended(client, job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert (job.error.error_class, job.error.stage) == ("InvalidImage", "inspect")
    assert tries(job, "inspect") == 1
    execution = world.execution(job.execution or "")
    assert wait_for(lambda: world.execution(job.execution or "")["status"] == "FAILED")
    (letter,) = world.dead_letters(job_id)
    assert {name: letter[name] for name in ("jobId", "owner", "attempt", "stage", "errorClass", "executionArn")} == {
        "jobId": job_id,
        "owner": owner,
        "attempt": 1,
        "stage": "inspect",
        "errorClass": "InvalidImage",
        "executionArn": execution["executionArn"],
    }
    assert letter["message"] == job.error.message
    assert letter["redriveCanHelp"] is False
    with pytest.raises(ConflictError):
        client.result(job_id)


def test_deleted_job_leaves_nothing_and_does_not_come_back(
    client: Client, stranger: Client, world: World, owner: str, photos: Path
) -> None:
    image_id = client.upload(photos / "freespace.jpg")
    job_id = client.submit(image_id).job_id
    with pytest.raises(ConflictError):
        client.delete(job_id)
    assert ended(client, job_id).status is JobStatus.SUCCEEDED
    with pytest.raises(NotFoundError):
        stranger.delete(job_id)
    assert world.artefacts(owner, job_id)

    client.delete(job_id)
    client.delete(job_id)

    assert world.artefacts(owner, job_id) == []
    assert world.objects(f"uploads/{owner}/{image_id}") == [""]
    assert job_id not in [job.job_id for job in client.jobs()]
    with pytest.raises(NotFoundError):
        client.result(job_id)
    client.submit(image_id, job_id=job_id)
    again = ended(client, job_id)
    assert (again.status, again.error and again.error.error_class) == (JobStatus.FAILED, "InvalidJob")
    assert len(world.executions(job_id)) == 1


def test_cancel_of_a_queued_job_keeps_it_from_ever_starting(client: Client, world: World, image_id: str) -> None:
    with world.queue_unread():
        job_id = client.submit(image_id).job_id
        assert client.cancel(job_id).status is JobStatus.CANCELLED
        assert client.cancel(job_id).status is JobStatus.CANCELLED
    assert wait_for(lambda: world.is_empty(world.outputs["JobQueueUrl"]))
    assert ended(client, job_id).status is JobStatus.CANCELLED
    assert world.executions(job_id) == []


def test_cancel_of_a_running_job_leaves_no_artefact(client: Client, world: World, owner: str, image_id: str) -> None:
    with world.held("Report"):
        job_id = client.submit(image_id).job_id
        assert wait_for(lambda: client.get(job_id).progress >= 85)
        assert world.artefacts(owner, job_id)
        assert client.cancel(job_id).status is JobStatus.CANCELLING
        assert client.cancel(job_id).status is JobStatus.CANCELLING
    job = ended(client, job_id)
    assert job.status is JobStatus.CANCELLED
    assert world.artefacts(owner, job_id) == []
    assert wait_for(lambda: world.execution(job.execution or "")["status"] == "SUCCEEDED")
    assert not world.dead_letters(job_id)
    assert client.cancel(job_id).status is JobStatus.CANCELLED


def test_execution_stopped_from_outside_settles_the_job(client: Client, world: World, image_id: str) -> None:
    with world.held("Report"):
        job_id = client.submit(image_id).job_id
        assert wait_for(lambda: client.get(job_id).progress >= 85)
        world.stop_execution(client.get(job_id).execution or "")
        job = ended(client, job_id)
    assert job.status is JobStatus.FAILED
    (letter,) = world.dead_letters(job_id)
    assert letter["errorClass"] == "ExecutionAborted"


def test_cancel_of_a_finished_job_is_refused_and_changes_nothing(client: Client, image_id: str) -> None:
    job_id = client.submit(image_id).job_id
    before = ended(client, job_id)
    with pytest.raises(ConflictError):
        client.cancel(job_id)
    assert client.get(job_id) == before


def test_submitting_again_and_again_makes_one_job(client: Client, world: World, image_id: str) -> None:
    job_id = client.new_job_id()
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: client.submit(image_id, job_id=job_id).job_id, range(8)))
    assert set(answers) == {job_id}
    first = ended(client, job_id)
    client.submit("another-image", job_id=job_id, tags={"second": "submission"})
    assert wait_for(lambda: world.is_empty(world.outputs["JobQueueUrl"]))
    assert client.get(job_id) == first
    assert len(world.executions(job_id)) == 1


def test_message_that_is_delivered_twice_makes_one_execution(
    client: Client, world: World, deployed: Deployment, owner: str, image_id: str
) -> None:
    job_id = client.new_job_id()
    attributes = {"owner": owner, "jobId": job_id, "schemaVersion": "1"}
    for _ in range(3):
        deployed.client("sqs").send_message(
            QueueUrl=world.outputs["JobQueueUrl"],
            MessageBody=f'{{"imageId": "{image_id}"}}',
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
    job = ended(client, job_id)
    assert wait_for(lambda: world.is_empty(world.outputs["JobQueueUrl"]))
    assert job.status is JobStatus.SUCCEEDED
    assert {entry.tries for entry in job.timeline if entry.status is not StageStatus.SKIPPED} == {1}
    assert world.executions(job_id) == [job.execution]


def test_message_that_cannot_be_read_is_buried_and_its_neighbour_lives(
    client: Client, world: World, deployed: Deployment, image_id: str
) -> None:
    with world.queue_unread():
        deployed.client("sqs").send_message(QueueUrl=world.outputs["JobQueueUrl"], MessageBody="not from the API")
        job_id = client.submit(image_id).job_id
    assert ended(client, job_id).status is JobStatus.SUCCEEDED

    def buried() -> list[str]:
        return [letter["errorClass"] for letter in world.dead_letters() if letter.get("body") == "not from the API"]

    assert wait_for(lambda: buried() == ["InvalidJob"])


def test_job_of_another_user_is_answered_like_one_that_is_not_there(
    client: Client, stranger: Client, http: httpx.Client, as_anybody: Any, image_id: str
) -> None:
    job_id = client.submit(image_id, job_id=f"mine-{client.new_job_id()}").job_id
    ended(client, job_id)
    with as_anybody(stranger) as theirs:
        for method, path in (("GET", ""), ("GET", "/result"), ("POST", "/cancel")):
            hidden = theirs.request(method, f"/jobs/{job_id}{path}")
            unknown = theirs.request(method, f"/jobs/nobodys{path}")
            assert hidden.status_code == unknown.status_code == 404
            assert hidden.json() == {**unknown.json(), "detail": unknown.json()["detail"].replace("nobodys", job_id)}
    assert job_id not in {job.job_id for job in stranger.jobs()}
    assert client.get(job_id).status is JobStatus.SUCCEEDED


def test_same_id_of_two_users_is_two_jobs(client: Client, stranger: Client, world: World, photos: Path) -> None:
    job_id = client.new_job_id()
    stranger.submit("nothing-uploaded", job_id=job_id)
    client.submit(client.upload(photos / "freespace.jpg"), job_id=job_id)
    assert ended(client, job_id).status is JobStatus.SUCCEEDED
    failed = ended(stranger, job_id)
    assert (failed.status, failed.error and failed.error.error_class) == (JobStatus.FAILED, "ImageNotFound")
    assert len(set(world.executions(job_id))) == 2


def test_image_of_another_user_is_not_found(client: Client, stranger: Client, image_id: str) -> None:
    failed = ended(stranger, stranger.submit(image_id).job_id)
    assert (failed.status, failed.error and failed.error.error_class) == (JobStatus.FAILED, "ImageNotFound")


def test_unknown_job_is_not_found(client: Client) -> None:
    with pytest.raises(NotFoundError):
        client.get("nobodys")
