"""The runbooks, typed as they are written, in bash and with the AWS command line, against the stack on this machine."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from darkroom import Client, JobStatus
from darkroom.challenges import CodeRequired
from darkroom.tokens import Tokens

from laptop import environment, users
from laptop.deployment import Deployment
from laptop.users import User
from laptop.waiting import wait_for
from laptop.world import World
from tests.authenticator import second_factor, set_up
from tests.runbooks import Section, sections

SECTIONS = {section.anchor: section for section in sections()}
PRELUDE = SECTIONS["on-call"].typed[0].replace("STACK=Darkroom-dev", "STACK=Darkroom-laptop")
NOT_HERE = {
    "alarm-budget": "the emulator has no Cost Explorer",
    "raising-quotas": "the emulator has no Service Quotas",
    "seeing-a-deployment": "the emulator refuses aliases of state machines, and the laptop has none",
    "stopping-and-rolling-back": "the same",
    "old-versions": "the same",
}
YES = {"ExpressionAttributeValues": {":yes": {"BOOL": True}}}
LOST_FACTOR = "somebody-has-lost-their-second-factor"
TYPED_IN_TESTS_OF_THEIR_OWN = {"pause-and-resume", "drain", "rotating-secrets", "restoring-the-table", LOST_FACTOR}
"""They take something away, which is looked at and given back."""


class Operator:
    """Somebody with a shell."""

    def __init__(self, deployment: Deployment, profile: Path, folder: Path) -> None:
        endpoint = deployment.emulator.endpoint
        tools = environment.for_tools(endpoint)
        self._folder = folder
        aws = shutil.which("aws", path=tools["PATH"])
        assert aws, "The AWS command line is not installed: run `make setup`."
        # For SQS alone, its first version looks for the endpoint nowhere but among its arguments.
        ours = folder / "aws"
        ours.write_text(f'#!/bin/sh\nexec "{aws}" --endpoint-url "{endpoint}" "$@"\n')
        ours.chmod(0o700)
        self._environment = {
            **tools,
            "PATH": f"{folder}{os.pathsep}{tools['PATH']}",
            "DARKROOM_PROFILE_FILE": str(profile),
        }

    def types(self, *blocks: str, **variables: str) -> str:
        """Run blocks one after the other; return what they print. Any command that fails is an error."""
        done = subprocess.run(  # noqa: S603 - what our own page says
            ["/bin/bash", "-euo", "pipefail", "-c", "\n".join([PRELUDE, *blocks])],
            cwd=self._folder,
            env={**self._environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{blocks}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def operator(client: Client, deployed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    assert client.profile.path is not None
    # Letters that other tests have left cannot all be helped, and a redrive of them all says so by its exit code.
    deployed.client("sqs").purge_queue(QueueUrl=deployed.outputs["DeadLetterQueueUrl"])
    return Operator(deployed, client.profile.path, tmp_path_factory.mktemp("bin"))


@pytest.fixture(scope="module")
def failed_job(client: Client, world: World) -> str:
    job_id = client.submit("nothing-uploaded").job_id
    assert list(client.watch(job_id))[-1].status is JobStatus.FAILED
    assert wait_for(lambda: world.dead_letters(job_id) != [])
    return job_id


def typed(anchor: str) -> list[str]:
    return SECTIONS[anchor].typed


@pytest.mark.parametrize(
    "section",
    [
        pytest.param(section, id=anchor)
        for anchor, section in SECTIONS.items()
        if section.typed and anchor not in TYPED_IN_TESTS_OF_THEIR_OWN | NOT_HERE.keys()
    ],
)
def test_runbook_can_be_typed_as_it_is_written(section: Section, operator: Operator, failed_job: str) -> None:
    operator.types(
        *[block for block in section.typed if block not in typed("on-call")[:1]],
        JOB=failed_job,
    )


def test_pause_keeps_what_was_accepted_and_resume_starts_it(
    client: Client, world: World, operator: Operator, image_id: str
) -> None:
    pause, resume, look = typed("pause-and-resume")
    operator.types(pause)
    try:
        assert wait_for(lambda: "Disabled" in operator.types(look), 60)
        job_id = client.submit(image_id).job_id  # accepted, as ever
        assert not world.is_empty(world.outputs["JobQueueUrl"])
    finally:
        operator.types(resume)

    assert list(client.watch(job_id))[-1].status is JobStatus.SUCCEEDED
    assert "Enabled" in operator.types(look)


def test_drain_refuses_what_is_new_and_finishes_what_was_accepted(
    client: Client, as_anybody: Callable[[Client], httpx.Client], operator: Operator, image_id: str
) -> None:
    close, wait, reopen = typed("drain")
    accepted = client.submit(image_id).job_id
    with as_anybody(client) as http:
        operator.types(close)
        try:
            refused = [
                http.post("/jobs", json={"imageId": image_id}),
                http.put("/jobs/while-the-door-is-closed", json={"imageId": image_id}),
            ]
            assert [answer.status_code for answer in refused] == [429, 429]
            assert all("Retry-After" in answer.headers for answer in refused)
            assert list(client.watch(accepted))[-1].status is JobStatus.SUCCEEDED
            assert '"ApproximateNumberOfMessages": "0"' in operator.types(wait)
        finally:
            operator.types(reopen)
        assert http.post("/jobs", json={"imageId": image_id}).status_code == 202


def test_restoring_the_table_brings_back_what_is_missing_and_leaves_what_is_newer(
    client: Client, deployed: Deployment, operator: Operator, owner: str, image_id: str
) -> None:
    restore, copy_back, clean = typed("restoring-the-table")
    rows, table = deployed.client("dynamodb"), deployed.outputs["JobTableName"]
    lost, newer = ({"owner": {"S": owner}, "jobId": {"S": _ended(client, image_id)}} for _ in range(2))
    before = rows.get_item(TableName=table, Key=lost)["Item"]

    operator.types(restore, WHEN="2026-11-24T03:00:00Z")
    rows.delete_item(TableName=table, Key=lost)
    rows.update_item(TableName=table, Key=newer, UpdateExpression="SET isNewer = :yes", **YES)
    operator.types(copy_back)
    operator.types(clean)

    assert rows.get_item(TableName=table, Key=lost)["Item"] == before
    assert rows.get_item(TableName=table, Key=newer)["Item"]["isNewer"] == {"BOOL": True}


def _ended(client: Client, image_id: str) -> str:
    job_id = client.submit(image_id).job_id
    assert list(client.watch(job_id))[-1].status is JobStatus.SUCCEEDED
    return job_id


def test_rotating_ends_the_sessions_of_a_person_and_of_a_machine(deployed: Deployment, operator: Operator) -> None:
    user = User("rotated@darkroom.example")
    users.create(deployed, user)
    pool = deployed.client("cognito-idp")
    pool_id = deployed.outputs["UserPoolId"]
    old = pool.create_user_pool_client(UserPoolId=pool_id, ClientName="old")["UserPoolClient"]["ClientId"]

    operator.types(*typed("rotating-secrets"), OLD_CLIENT=old, NAME=user.name)

    clients = pool.list_user_pool_clients(UserPoolId=pool_id, MaxResults=60)["UserPoolClients"]
    assert old not in {client["ClientId"] for client in clients}
    status = pool.admin_get_user(UserPoolId=pool_id, Username=user.name)["UserStatus"]
    assert status in {"RESET_REQUIRED", "FORCE_CHANGE_PASSWORD"}


def test_user_without_the_app_gets_in_again_or_is_made_anew(
    deployed: Deployment, operator: Operator, tmp_path: Path
) -> None:
    user = User("forgetful@darkroom.example")
    users.create(deployed, user)
    optional, required = typed(LOST_FACTOR)
    with second_factor(deployed), users.sign_in(deployed, user, tmp_path / "profile.json") as client:
        pool = client.user_pool
        set_up(client)
        assert isinstance(pool.sign_in(user.name, user.password), CodeRequired)

        operator.types(optional, NAME=user.name)
        assert isinstance(pool.sign_in(user.name, user.password), Tokens)

        assert users.owner(client) in operator.types(required, NAME=user.name)
        found = deployed.client("cognito-idp").admin_get_user(
            UserPoolId=deployed.outputs["UserPoolId"], Username=user.name
        )
        assert found["UserStatus"] == "FORCE_CHANGE_PASSWORD"
