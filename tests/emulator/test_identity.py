"""Who gets in: users by their access tokens, machines by their scopes, operators by their group; nobody else."""

from typing import Any

import httpx
import pytest
from darkroom import Client, JobStatus, MachineSession, NotFoundError, NotSignedInError, Profile, SignInRefusedError

from laptop import users
from laptop.deployment import Deployment
from laptop.users import User
from laptop.world import World

EVERYTHING = ("darkroom/jobs.read", "darkroom/jobs.write")


def machine(deployed: Deployment, *scopes: str) -> tuple[Client, str]:
    """Make a client for a machine as docs/operations.md says; return it signed in, and its id."""
    made = deployed.client("cognito-idp").create_user_pool_client(
        UserPoolId=deployed.outputs["UserPoolId"],
        ClientName="a machine",
        GenerateSecret=True,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=list(scopes),
    )["UserPoolClient"]
    profile = Profile.of(api_url=deployed.api_url, auth_url=deployed.auth_url, client_id=made["ClientId"])
    tokens = MachineSession(f"{deployed.emulator.endpoint}/oauth2/token", made["ClientId"], made["ClientSecret"])
    return Client(profile, tokens=tokens), made["ClientId"]


def sign_in(deployed: Deployment, user: User) -> dict[str, str]:
    """All three tokens of a user."""
    answer: dict[str, Any] = deployed.client("cognito-idp").initiate_auth(
        ClientId=deployed.outputs["UserPoolClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user.name, "PASSWORD": user.password},
    )
    return dict(answer["AuthenticationResult"])


def answers(deployed: Deployment, token: str) -> list[int]:
    """What a read, a write and a submission with this token are answered."""
    with httpx.Client(base_url=deployed.api_url, headers={"Authorization": token}, timeout=40) as http:
        return [
            http.get("/jobs").status_code,
            http.post("/jobs/unknown/redrive").status_code,
            http.put("/jobs/refused", json={"imageId": "an-image"}).status_code,
        ]


def test_only_access_tokens_are_taken(deployed: Deployment) -> None:
    tokens = sign_in(deployed, users.GUEST)
    assert answers(deployed, tokens["AccessToken"])[:2] == [200, 404]
    assert answers(deployed, tokens["IdToken"]) == [401, 401, 401]
    assert answers(deployed, tokens["RefreshToken"]) == [401, 401, 401]


def test_machine_works_on_jobs_of_its_own(deployed: Deployment, client: Client, world: World, photos: Any) -> None:
    robot, its_id = machine(deployed, *EVERYTHING)
    with robot:
        job_id = robot.submit(robot.upload(photos / "freespace.jpg")).job_id
        assert list(robot.watch(job_id))[-1].status is JobStatus.SUCCEEDED
        assert world.artefacts(its_id, job_id)
        assert [job.job_id for job in robot.jobs()] == [job_id]
        with pytest.raises(NotFoundError):
            client.result(job_id)


def test_machine_may_do_no_more_than_its_scopes(deployed: Deployment, world: World) -> None:
    reader, _ = machine(deployed, "darkroom/jobs.read")
    writer, _ = machine(deployed, "darkroom/jobs.write")
    with reader, writer, world.queue_unread():
        assert list(reader.jobs()) == []
        with pytest.raises(NotSignedInError):
            reader.submit("an-image")
        with pytest.raises(NotSignedInError):
            list(writer.jobs())
        assert world.is_empty(world.outputs["JobQueueUrl"])


def test_machine_cannot_ask_for_what_users_have(deployed: Deployment) -> None:
    robot, _ = machine(deployed, "darkroom/jobs.read", "aws.cognito.signin.user.admin")
    with robot, pytest.raises((SignInRefusedError, NotSignedInError)):
        robot.submit("an-image")


def test_operator_helps_with_the_job_of_another(
    deployed: Deployment, operator: Client, client: Client, stranger: Client, as_anybody: Any
) -> None:
    job_id = client.submit(client.upload(b"no image", "image/jpeg")).job_id
    assert list(client.watch(job_id))[-1].status is JobStatus.FAILED
    whose = {"owner": users.owner(client)}
    with as_anybody(operator) as desk, as_anybody(stranger) as outside:
        assert desk.get(f"/jobs/{job_id}", params=whose).json()["status"] == "FAILED"
        assert job_id in [job["jobId"] for job in desk.get("/jobs", params=whose).json()["jobs"]]
        assert desk.get(f"/jobs/{job_id}").status_code == 404
        assert desk.get(f"/jobs/{job_id}/result", params=whose).status_code == 404
        assert desk.post(f"/jobs/{job_id}/cancel", params=whose).status_code == 409
        for method, path in (("GET", ""), ("POST", "/cancel"), ("POST", "/redrive")):
            assert outside.request(method, f"/jobs/{job_id}{path}", params=whose).status_code == 404
        assert outside.get("/jobs", params=whose).status_code == 404
        assert desk.post(f"/jobs/{job_id}/redrive", params=whose).json()["status"] == "QUEUED"
    assert list(client.watch(job_id))[-1].attempt == 2
    assert "An operator acts for an owner" in deployed_log(deployed)


def deployed_log(deployed: Deployment) -> str:
    """What the API's function has logged."""
    logs = deployed.client("logs")
    world = World(deployed)
    function = deployed.client("lambda").get_function_configuration(FunctionName=world.function("ApiCalls"))
    group = function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function['FunctionName']}"
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    return "\n".join(event["message"] for page in pages for event in page["events"])
