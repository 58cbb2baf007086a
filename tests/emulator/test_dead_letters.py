"""The operators' commands on the running stack: from a dead letter to a job that succeeds, as it is typed."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from darkroom import Client, JobStatus

from laptop import environment
from laptop.deployment import Deployment
from laptop.places import ENVIRONMENT_BIN
from laptop.waiting import wait_for
from laptop.world import World


class Darkroom:
    """The command, with the profile of a signed-in operator."""

    def __init__(self, profile: Path) -> None:
        self._environment = {**os.environ, **environment.for_tools(), "DARKROOM_PROFILE_FILE": str(profile)}

    def __call__(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(  # noqa: S603 - our own program
            [str(ENVIRONMENT_BIN / "darkroom"), *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture
def darkroom(client: Client) -> Darkroom:
    assert client.profile.path is not None
    return Darkroom(client.profile.path)


def test_dlq_from_the_letter_to_a_job_that_succeeds(
    client: Client, world: World, darkroom: Darkroom, image_id: str
) -> None:
    with world.held("Report"):
        job_id = client.submit(image_id).job_id
        assert wait_for(lambda: client.get(job_id).progress >= 85)
        world.stop_execution(client.get(job_id).execution or "")
        assert list(client.watch(job_id))[-1].status is JobStatus.FAILED
    assert wait_for(lambda: world.dead_letters(job_id) != [])

    code, listed = darkroom("dlq", "list", "--class", "ExecutionAborted", "--json")
    assert code == 0
    assert job_id in {json.loads(line)["jobId"] for line in listed.splitlines()}
    code, shown = darkroom("dlq", "show", job_id)
    assert code == 0
    assert f"darkroom dlq redrive {job_id}" in shown
    assert darkroom("dlq", "redrive", job_id, "--dry-run")[0] == 0
    assert client.get(job_id).attempt == 1
    assert len(world.dead_letters(job_id)) == 1

    assert darkroom("dlq", "redrive", job_id, "--yes")[0] == 0

    assert wait_for(lambda: client.get(job_id).attempt == 2)
    assert list(client.watch(job_id))[-1].status is JobStatus.SUCCEEDED
    assert world.dead_letters(job_id) == []


def test_dlq_discard_puts_the_letter_away_and_leaves_the_job(
    client: Client, world: World, deployed: Deployment, darkroom: Darkroom
) -> None:
    job_id = client.submit("nothing-uploaded").job_id
    assert list(client.watch(job_id))[-1].status is JobStatus.FAILED
    assert wait_for(lambda: world.dead_letters(job_id) != [])

    assert darkroom("dlq", "discard", job_id, "--yes")[0] == 0

    assert world.dead_letters(job_id) == []
    assert client.get(job_id).status is JobStatus.FAILED
    assert darkroom("redrive", job_id)[0] == 0
