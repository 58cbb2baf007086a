"""Permissions, enforced: jobs go their ways with the rights that there are, and each right is one that is needed.

Runs on an emulator of its own, which holds every call to the policies of whoever makes it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from darkroom import Client, JobStatus

from laptop import emulator, enforced, users
from laptop.deployment import STACK, Deployment
from laptop.enforcement import PLAIN_HTTP
from laptop.places import Home
from laptop.waiting import wait_for
from laptop.world import World
from tests.emulator.conftest import raw, running
from tests.infrastructure.templates import listed

STAGES = {"Inspect", "Palette", "Quality", "Fingerprint", "Codes", "Regions", "Labels", "Report"}
LATE_CANCEL = "tests/functional/test_run_stage.py::test_run_stage_cancelled_after_the_work_leaves_nothing_behind"
LABELLED = "tests/functional/test_extras.py::test_labels_with_the_setting_are_handed_the_service_and_the_working_copy"
LARGE_RESULT = "tests/functional/test_run_stage.py::test_run_stage_large_result_goes_to_the_bucket_and_comes_back"
START_REPEATED = "tests/functional/test_start_execution.py::test_start_execution_same_message_twice_starts_once"
UNREAD_TWICE = "tests/functional/test_start_execution.py::test_bury_message_lasting_fault_fails_job_with_letter"
RECONCILED = "tests/functional/test_reconcile.py::test_reconcile_deadline_that_is_over_ends_job_and_execution"
RESTARTED = "tests/functional/test_reconcile.py::test_reconcile_queued_job_without_execution_is_started"
LETTER_OWED = "tests/functional/test_reconcile.py::test_reconcile_sends_a_letter_that_could_not_be_sent"
LEFT = "tests/functional/test_push.py::test_watcher_who_has_left_is_forgotten_at_the_next_event"
SWEPT = "tests/functional/test_reconcile.py::test_reconcile_cancelling_job_whose_execution_ended_is_cancelled_and_swept"
ELSEWHERE = {
    **{(stage, "s3:DeleteObject"): LATE_CANCEL for stage in STAGES},
    **{(stage, "s3:PutObject"): LARGE_RESULT for stage in STAGES - {"Inspect", "Regions", "Report"}},
    ("Inspect", "s3:GetObject"): LARGE_RESULT,
    ("Regions", "s3:GetObject"): LARGE_RESULT,
    # The laptop skips it: there is no Rekognition to ask.
    **{("Labels", action): LABELLED for action in ("dynamodb:UpdateItem", "s3:GetObject")},
    **{(function, "states:DescribeExecution"): START_REPEATED for function in ("StartExecution", "BuryMessage")},
    **{(function, "states:DescribeExecution"): START_REPEATED for function in ("ApiCalls", "RedriveJob", "Operations")},
    ("BuryMessage", "dynamodb:UpdateItem"): UNREAD_TWICE,
    ("PublishEvents", "dynamodb:DeleteItem"): LEFT,
    ("Reconcile", "dynamodb:GetItem"): RECONCILED,
    ("Reconcile", "dynamodb:UpdateItem"): RECONCILED,
    ("Reconcile", "states:DescribeExecution"): RECONCILED,
    ("Reconcile", "states:StopExecution"): RECONCILED,
    ("Reconcile", "states:StartExecution"): RESTARTED,
    ("Reconcile", "sqs:SendMessage"): LETTER_OWED,
    ("Reconcile", "s3:ListBucket"): SWEPT,
    ("Reconcile", "s3:DeleteObject"): SWEPT,
}
"""Rights that are needed in cases which this run does not meet, each with the test on in-memory AWS that does."""
UNSEEN = {
    ("Inspect", "s3:ListBucket"),  # AWS tells a missing object from a forbidden one by it; the emulator without
    ("PublishEvents", "sqs:SendMessage"),  # AWS puts in by it what could not be told; the emulator without
    ("Regions", "s3:ListBucket"),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("rights"))


@pytest.fixture(scope="module")
def enforcing(no_account: None, home: Home) -> Iterator[Deployment]:
    with running(home) as deployed:
        enforcing = enforced.restart(deployed, home)
        try:
            users.create(enforcing, users.DEMO)
            yield enforcing
        finally:
            emulator.stop(enforcing.emulator)


@pytest.fixture(scope="module")
def world(enforcing: Deployment) -> World:
    return World(enforcing)


@pytest.fixture(scope="module")
def client(enforcing: Deployment, home: Home) -> Iterator[Client]:
    with users.sign_in(enforcing, users.DEMO, home.path / "demo" / "profile.json") as client:
        yield client


@pytest.fixture(scope="module")
def image_id(client: Client, photos: Path) -> str:
    return client.upload(photos / "freespace.jpg")


def test_jobs_go_all_their_ways_and_each_right_is_the_only_one_that_lets_some_call_through(
    client: Client, world: World, enforcing: Deployment, home: Home, image_id: str
) -> None:
    _go_all_ways(client, world, enforcing, image_id)

    used = _used(enforced.ledger(home))
    granted = {
        (role, action, place)
        for role, statements in _policies(enforcing).items()
        for place, statement in enumerate(statements)
        for action in listed(statement["Action"])
        if not action.startswith("logs:")  # the emulator writes logs itself
    }
    assert {right[:2] for right in granted - used} - ELSEWHERE.keys() == UNSEEN
    assert ELSEWHERE.keys() <= {right[:2] for right in granted}
    for named in ELSEWHERE.values():
        file, _, name = named.partition("::")
        assert f"def {name}(" in Path(file).read_text()


def test_submission_is_not_accepted_when_the_gateway_may_not_send(
    client: Client, world: World, enforcing: Deployment, image_id: str
) -> None:
    with world.queue_unread(), _without(enforcing, "ApiSubmission", "sqs:SendMessage"), raw(client) as http:
        assert http.post("/jobs", json={"imageId": image_id}).status_code == 500
        assert world.is_empty(world.outputs["JobQueueUrl"])


def test_job_fails_when_a_stage_may_not_read_what_it_needs(
    client: Client, enforcing: Deployment, image_id: str
) -> None:
    with _without(enforcing, "Inspect", "s3:GetObject"):
        job = list(client.watch(client.submit(image_id).job_id))[-1]
    assert job.status is JobStatus.FAILED
    assert job.error
    assert job.error.stage == "inspect"


def test_job_waits_when_its_reader_may_not_read_the_queue(
    client: Client, world: World, enforcing: Deployment, image_id: str
) -> None:
    with _without(enforcing, "StartExecution", "sqs:ReceiveMessage"):
        job_id = client.submit(image_id).job_id
        assert not wait_for(lambda: world.is_empty(world.outputs["JobQueueUrl"]), 2)
        assert world.executions(job_id) == []
    assert list(client.watch(job_id))[-1].status is JobStatus.SUCCEEDED


def test_upload_with_another_signature_is_refused(client: Client) -> None:
    with raw(client) as http:
        place = http.post("/uploads", json={"contentType": "image/png"}).json()
    fields = {**place["fields"], "x-amz-signature": "0" * 64}
    assert httpx.post(place["url"], data=fields, files={"file": b"an image"}).status_code == 403


def test_plain_http_is_refused_by_bucket_and_queues(no_account: None, tmp_path: Path) -> None:
    home = Home(tmp_path)
    with running(home) as deployed:
        users.create(deployed, users.DEMO)
        plain = enforced.restart(deployed, home, {PLAIN_HTTP: "1"})
        try:
            with users.sign_in(plain, users.DEMO, tmp_path / "profile.json") as client, raw(client) as http:
                place = http.post("/uploads", json={"contentType": "image/png"}).json()
                assert httpx.post(place["url"], data=place["fields"], files={"file": b"an image"}).status_code == 403
                # The function asks the queues whether the job waits there: over plain HTTP, it may not.
                assert http.post("/jobs/nobodys/cancel").status_code == 500
        finally:
            emulator.stop(plain.emulator)
    refused = {(note["action"], note["decision"]) for note in _notes(enforced.ledger(home))}
    assert {("s3:PutObject", "Deny"), ("sqs:GetQueueAttributes", "Deny")} <= refused


def _go_all_ways(client: Client, world: World, enforcing: Deployment, image_id: str) -> None:
    """Success, failure, redrives, cancels, an execution that is stopped, messages that nobody can start, deleting."""
    done = client.submit(image_id, analyses=["palette", "quality", "fingerprint", "codes", "regions"]).job_id
    failed = client.submit("nothing-uploaded").job_id
    assert list(client.watch(done))[-1].status is JobStatus.SUCCEEDED
    assert client.result(done)
    assert client.artefact(done, "preview").startswith(b"\xff\xd8")
    assert client.artefact(done, "heat-map").startswith(b"\x89PNG")
    assert done in {job.job_id for job in client.jobs()}
    assert list(client.watch(failed))[-1].status is JobStatus.FAILED
    assert wait_for(lambda: len(world.dead_letters(failed)) == 1)
    client.redrive(failed)
    assert wait_for(lambda: client.get(failed).attempt == 2 and client.get(failed).status is JobStatus.FAILED)
    _redrive_as_operator(enforcing, world, failed)
    _look_after_letters(client, enforcing, world, failed)
    _cancel_running(client, world, image_id, stopped=False)
    _cancel_running(client, world, image_id, stopped=True)
    _stop_running(client, world, image_id)
    _cancel_queued(client, world)
    _leave_to_the_second_reader(client, world, enforcing, image_id)
    _invoke(enforcing, "ReconcileFunctionName", {})
    client.delete(done)


def _redrive_as_operator(enforcing: Deployment, world: World, job_id: str) -> None:
    letter = next(letter for letter in world.dead_letters(job_id) if letter["attempt"] == 2)
    payload = {name: letter[name] for name in ("owner", "jobId", "attempt")}
    assert _invoke(enforcing, "RedriveFunctionName", payload)["outcome"] == "REDRIVEN"


def _look_after_letters(client: Client, enforcing: Deployment, world: World, job_id: str) -> None:
    """Do as an operator does in the console."""
    assert wait_for(lambda: any(letter["attempt"] == 3 for letter in world.dead_letters(job_id)))
    enforcing.client("cognito-idp").admin_add_user_to_group(
        UserPoolId=enforcing.outputs["UserPoolId"], Username=users.DEMO.name, GroupName="operators"
    )
    assert client.profile.path
    profile = client.profile.path.parent.parent / "operator" / "profile.json"
    with users.sign_in(enforcing, users.DEMO, profile) as operator, raw(operator) as http:
        assert http.get("/operations").json()["executions"]["started"] > 0
        assert job_id in {letter.get("jobId") for letter in http.get("/operations/dead-letters").json()["letters"]}

        def is_redriven() -> bool:
            """The letter may still be held by whoever looked at it last."""
            http.post("/operations/dead-letters/redrive", json={"all": True}).raise_for_status()
            return client.get(job_id).attempt >= 4

        assert wait_for(is_redriven)


def _invoke(enforcing: Deployment, output: str, payload: dict[str, Any]) -> Any:
    functions = enforcing.client("lambda")
    answer = functions.invoke(FunctionName=enforcing.outputs[output], Payload=json.dumps(payload))
    return json.loads(answer["Payload"].read())


def _cancel_running(client: Client, world: World, image_id: str, *, stopped: bool) -> None:
    with world.held("Report"):
        job_id = client.submit(image_id).job_id
        assert wait_for(lambda: client.get(job_id).progress >= 85)
        client.cancel(job_id)
        if stopped:
            world.stop_execution(client.get(job_id).execution or "")
    assert list(client.watch(job_id))[-1].status is JobStatus.CANCELLED


def _stop_running(client: Client, world: World, image_id: str) -> None:
    with world.held("Report"):
        job_id = client.submit(image_id).job_id
        assert wait_for(lambda: client.get(job_id).progress >= 85)
        world.stop_execution(client.get(job_id).execution or "")
        assert list(client.watch(job_id))[-1].status is JobStatus.FAILED
    assert wait_for(lambda: len(world.dead_letters(job_id)) == 1)


def _cancel_queued(client: Client, world: World) -> None:
    with world.queue_unread():
        job_id = client.submit("nothing-uploaded").job_id
        client.cancel(job_id)
    assert wait_for(lambda: world.is_empty(world.outputs["JobQueueUrl"]))
    assert client.get(job_id).status is JobStatus.CANCELLED


def _leave_to_the_second_reader(client: Client, world: World, enforcing: Deployment, image_id: str) -> None:
    """Messages in the dead-letter queue of the job queue: one that can be started after all, and two that cannot."""
    owner, job_id = users.owner(client), client.new_job_id()
    for queue in ("IntakeDeadLetterQueueUrl", "JobQueueUrl"):
        _send(enforcing, queue, "nobody's")
        _send(enforcing, queue, "[]", owner=owner, jobId=client.new_job_id(), schemaVersion="1")
    body = json.dumps({"imageId": image_id})
    _send(enforcing, "IntakeDeadLetterQueueUrl", body, owner=owner, jobId=job_id, schemaVersion="1")
    assert list(client.watch(job_id))[-1].status is JobStatus.SUCCEEDED
    assert wait_for(lambda: world.is_empty(world.outputs["IntakeDeadLetterQueueUrl"]))


def _send(enforcing: Deployment, queue: str, body: str, **attributes: str) -> None:
    enforcing.client("sqs").send_message(
        QueueUrl=enforcing.outputs[queue],
        MessageBody=body,
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    )


def _used(ledger: Path) -> set[tuple[str, str, int]]:
    """Role, action and place of each statement without which some call would have been refused."""
    sole = [note for note in _notes(ledger) if note["decision"] == "Allow" and len(note["by"]) == 1]
    return {(_construct(note["role"]), note["action"], note["by"][0]) for note in sole}


def _notes(ledger: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ledger.read_text().splitlines()]


def _policies(enforcing: Deployment) -> dict[str, list[Any]]:
    """The statements of each role's policies, in order, by the construct that the role is of."""
    iam = enforcing.client("iam")
    pages = iam.get_paginator("list_roles").paginate()
    roles = [role["RoleName"] for page in pages for role in page["Roles"] if role["RoleName"].startswith(STACK)]
    found = {_construct(role): [each for _, policy in _documents(iam, role) for each in policy] for role in roles}
    return {construct: statements for construct, statements in found.items() if statements}


def _documents(iam: Any, role: str) -> Iterator[tuple[str, list[Any]]]:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield name, document["Statement"]


def _construct(role: str) -> str:
    """`Palette` of `Darkroom-laptop-FunctionsPaletteRole1012DA34-3BD88073CE5C1`."""
    return role.removeprefix(f"{STACK}-").removeprefix("Functions").partition("Role")[0]


@contextmanager
def _without(enforcing: Deployment, construct: str, action: str) -> Iterator[None]:
    """Take every statement with this action from a role, for the length of the block."""
    iam = enforcing.client("iam")
    pages = iam.get_paginator("list_roles").paginate()
    (role,) = [
        role["RoleName"] for page in pages for role in page["Roles"] if _construct(role["RoleName"]) == construct
    ]
    ((name, statements),) = _documents(iam, role)
    kept = [statement for statement in statements if action not in listed(statement["Action"])]
    assert len(kept) < len(statements)
    _put(iam, role, name, kept)
    try:
        yield
    finally:
        _put(iam, role, name, statements)


def _put(iam: Any, role: str, name: str, statements: list[Any]) -> None:
    if not statements:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
        return
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
