"""What breaks, on the running stack: jobs reach their end all the same."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from darkroom import Client, Job, JobStatus, StageStatus

from laptop import users
from laptop.deployment import Deployment
from laptop.places import Home
from laptop.waiting import wait_for
from laptop.world import World
from tests.emulator.conftest import raw, running


@pytest.fixture
def outage(deployed: Deployment, world: World) -> Any:
    """Nobody is told of the ends of executions for the length of a block."""

    @contextmanager
    def outage() -> Iterator[None]:
        events = deployed.client("events")
        (rule,) = [rule["Name"] for rule in events.list_rules()["Rules"] if "EventPattern" in rule]
        events.disable_rule(Name=rule)
        try:
            yield
        finally:
            events.enable_rule(Name=rule)

    return outage


def reconcile(deployed: Deployment) -> dict[str, int]:
    """Have the reconciler look at once, and return its report."""
    answer = deployed.client("lambda").invoke(FunctionName=deployed.outputs["ReconcileFunctionName"], Payload=b"{}")
    report: dict[str, int] = json.loads(answer["Payload"].read())
    return report


def redrive(client: Client, job_id: str) -> httpx.Response:
    """Ask for a new attempt."""
    with raw(client) as http:
        return http.post(f"/jobs/{job_id}/redrive")


def ended(client: Client, job_id: str) -> Job:
    return list(client.watch(job_id))[-1]


def at_attempt(client: Client, job_id: str, attempt: int) -> Job:
    """Wait for the end of an attempt."""
    assert wait_for(lambda: client.get(job_id).attempt == attempt)
    return ended(client, job_id)


def test_redrive_goes_on_where_the_job_had_failed(client: Client, world: World, image_id: str) -> None:
    with world.held("Report"):
        job_id = client.submit(image_id).job_id
        assert wait_for(lambda: client.get(job_id).progress >= 85)
        world.stop_execution(client.get(job_id).execution or "")
        assert ended(client, job_id).status is JobStatus.FAILED
    assert redrive(client, job_id).status_code == 202
    job = at_attempt(client, job_id, 2)
    assert job.status is JobStatus.SUCCEEDED
    worked = [entry for entry in job.timeline if entry.status is not StageStatus.SKIPPED]
    assert {entry.stage: (entry.attempt, entry.tries) for entry in worked} == {
        **dict.fromkeys(("inspect", "palette", "quality", "fingerprint", "codes"), (1, 1)),
        "report": (2, 1),
    }
    assert redrive(client, job_id).status_code == 409
    assert len(world.executions(job_id)) == 2


def test_redrive_by_an_operator_takes_what_the_dead_letter_says(
    client: Client, world: World, deployed: Deployment, photos: Path
) -> None:
    job_id = client.submit("to-be-uploaded").job_id
    assert ended(client, job_id).status is JobStatus.FAILED
    (letter,) = world.dead_letters(job_id)
    request = {name: letter[name] for name in ("owner", "jobId", "attempt")}
    answer = deployed.client("lambda").invoke(
        FunctionName=deployed.outputs["RedriveFunctionName"], Payload=json.dumps(request).encode()
    )
    assert json.loads(answer["Payload"].read())["outcome"] == "REDRIVEN"
    again = at_attempt(client, job_id, 2)
    assert (again.status, again.error and again.error.error_class) == (JobStatus.FAILED, "ImageNotFound")
    assert wait_for(lambda: {letter["attempt"] for letter in world.dead_letters(job_id)} == {1, 2})


def test_dead_letter_alone_says_what_failed_where_why_and_what_to_type(client: Client, world: World) -> None:
    job_id = client.submit("nothing-uploaded").job_id
    job = ended(client, job_id)
    assert wait_for(lambda: world.dead_letters(job_id) != [])
    (letter,) = world.dead_letters(job_id)
    assert (letter["stage"], letter["errorClass"]) == ("inspect", "ImageNotFound")
    assert job.error is not None
    assert letter["message"] == job.error.message
    assert letter["executionArn"].endswith(f":{job.execution}")
    assert f"darkroom dlq redrive {job_id}" in letter["next"]


def test_end_that_nobody_was_told_of_is_found_by_the_reconciler(
    client: Client, world: World, deployed: Deployment, image_id: str, outage: Any
) -> None:
    with world.held("Report"):
        with outage():
            job_id = client.submit(image_id).job_id
            assert wait_for(lambda: client.get(job_id).progress >= 85)
            world.stop_execution(client.get(job_id).execution or "")
            assert client.get(job_id).status is JobStatus.RUNNING
        assert wait_for(lambda: reconcile(deployed)["errors"] == 0 and client.get(job_id).status.is_end, 60)
    assert client.get(job_id).status is JobStatus.FAILED
    (letter,) = world.dead_letters(job_id)
    assert letter["errorClass"] == "ExecutionAborted"


def test_deadline_ends_a_job_that_waits_for_a_retry(
    client: Client, world: World, deployed: Deployment, image_id: str
) -> None:
    with world.held("Report"):
        job_id = client.submit(image_id, options={"deadlineSeconds": 5}).job_id
        assert wait_for(lambda: client.get(job_id).progress >= 85)
        assert wait_for(lambda: reconcile(deployed)["errors"] == 0 and ended_late(client, job_id), 60)
    execution = client.get(job_id).execution or ""
    assert wait_for(lambda: world.execution(execution)["status"] == "ABORTED")
    assert [letter["errorClass"] for letter in world.dead_letters(job_id)] == ["DeadlineExceeded"]


def ended_late(client: Client, job_id: str) -> bool:
    job = client.get(job_id)
    return job.error is not None and job.error.error_class == "DeadlineExceeded"


def test_deadline_that_is_over_before_the_start_keeps_the_job_from_running(
    client: Client, world: World, image_id: str
) -> None:
    with world.queue_unread():
        job_id = client.submit(image_id, options={"deadlineSeconds": 1}).job_id
        time.sleep(1.5)
    assert wait_for(lambda: ended_late(client, job_id))
    assert world.executions(job_id) == []


def test_job_that_runs_while_the_emulator_is_stopped_succeeds_after_its_start(
    no_account: None, tmp_path: Path, photos: Path
) -> None:
    home = Home(tmp_path / "home")
    with running(home) as first:
        users.create(first, users.DEMO)
        report = {"FunctionName": World(first).function("Report")}
        first.client("lambda").put_function_concurrency(**report, ReservedConcurrentExecutions=0)
        with users.sign_in(first, users.DEMO, tmp_path / "profile.json") as client:
            job_id = client.submit(client.upload(photos / "freespace.jpg")).job_id
            assert wait_for(lambda: client.get(job_id).progress >= 85)
    with running(home) as again:
        again.client("lambda").delete_function_concurrency(**report)
        with users.sign_in(again, users.DEMO, tmp_path / "profile.json") as client:
            assert client.get(job_id).status is JobStatus.RUNNING
            assert wait_for(lambda: reconcile(again)["errors"] == 0 and client.get(job_id).status.is_end, 90)
            job = client.get(job_id)
        assert job.status is JobStatus.SUCCEEDED
        assert {entry.tries for entry in job.timeline if entry.status is not StageStatus.SKIPPED} == {1}
        assert World(again).dead_letters(job_id) == []
