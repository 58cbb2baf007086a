"""Who may do what: every call of the API document, by everybody who might try it.

The table that comes out of it is the one in docs/security.md.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import filterfalse
from pathlib import Path
from typing import Any

import httpx
import pytest
from darkroom import Client, JobStatus

from laptop import users
from laptop.deployment import Deployment
from laptop.waiting import wait_for
from laptop.world import World
from stacks.openapi import Contract, Operation
from tests.emulator import channel, tokens

ROOT = Path(__file__).parents[2]
OPERATIONS = Contract((ROOT / "openapi.yaml").read_text()).operations
DOCUMENTED = re.compile(r"<!-- who may do what -->\n(.*?)<!-- end -->", re.DOTALL)
OF_EACH_CALL = {"date", "x-amzn-requestid", "x-amz-apigw-id", "x-amz-request-id", "x-amz-id-2", "x-amzn-trace-id"}
"""Headers that differ between any two answers."""

REFUSED = (
    "no token",
    "a broken token",
    "`alg: none`",
    "an expired token",
    "a token of another key",
    "a token with another's `sub`",
    "a token of another pool",
)
ANOTHER_USER = "another user"
NAMING = "another user who names the owner"
OPERATOR = "an operator who names the owner"
OWNER = "the owner"
FOREIGN = (ANOTHER_USER, NAMING, OPERATOR)
CALLERS = (*REFUSED, *FOREIGN, OWNER)
OPERATORS_MAY = {"listJobs", "getJob", "listEvents", "cancelJob", "redriveJob"}
"""Where naming an owner counts for something."""


def _is_about_a_job(operation: Operation) -> bool:
    """Tell whether it needs a job that is there: all that name one, but the one that makes it."""
    return "jobId" in operation.names("path") and operation.operation_id != "putJob"


def _is_for_operators(operation: Operation) -> bool:
    """Tell whether there is nothing at its address for anybody else."""
    return operation.path.startswith("/operations")


def _is_for_all(operation: Operation) -> bool:
    return not _is_about_a_job(operation) and not _is_for_operators(operation)


def _name(operation: Operation) -> str:
    return operation.operation_id


class Caller:
    """The API with one token, calling each operation with what it needs to get as far as the owner gets.

    `named` is whose job the query says that it is.
    """

    def __init__(self, http: httpx.Client, bodies: dict[str, Any], named: str | None = None) -> None:
        self._http = http
        self._bodies = bodies
        self._query = {"owner": named} if named else {}

    def __call__(self, operation: Operation, job_id: str) -> httpx.Response:
        assert operation.body is None or operation.body in self._bodies, f"Add a good {operation.body} to `bodies`."
        body = {"json": self._bodies[operation.body]} if operation.body else {}
        path = re.sub(r"\{\w+\}", job_id, operation.path)
        return self._http.request(operation.method, path, params=self._query, **body)


@pytest.fixture(scope="module")
def bodies(image_id: str) -> dict[str, Any]:
    """A good body, by the name of its schema."""
    return {
        "UploadRequest": {"contentType": "image/png"},
        "JobSubmission": {"imageId": image_id},
        "LetterChoice": {"letters": ["of-no-message"]},
    }


@pytest.fixture(scope="module")
def foreigners(stranger: Client, operator: Client) -> dict[str, Client]:
    """Whose jobs they are not, signed in; the first two are one user."""
    return {ANOTHER_USER: stranger, NAMING: stranger, OPERATOR: operator}


@pytest.fixture(scope="module")
def callers(
    deployed: Deployment, client: Client, foreigners: dict[str, Client], as_anybody: Any, bodies: dict[str, Any]
) -> Iterator[dict[str, Caller]]:
    """Everybody who might try."""
    with ExitStack() as stack:
        owner = stack.enter_context(as_anybody(client))
        others = {name: stack.enter_context(as_anybody(other)) for name, other in foreigners.items()}
        token, theirs = (http.headers["Authorization"] for http in (owner, others[ANOTHER_USER]))
        headers = {
            "no token": None,
            "a broken token": token[:-8],
            "`alg: none`": tokens.unsigned(token),
            "an expired token": tokens.expired(deployed, users.DEMO),
            "a token of another key": tokens.signed_by_another_key(token),
            "a token with another's `sub`": tokens.altered(theirs, sub=tokens.parts(token)[1]["sub"]),
            "a token of another pool": tokens.of_another_pool(deployed, users.DEMO),
            **{name: http.headers["Authorization"] for name, http in others.items()},
            OWNER: token,
        }
        found = {}
        for name in CALLERS:
            authorization = {"Authorization": headers[name]} if headers[name] else {}
            http = httpx.Client(base_url=owner.base_url, headers=authorization, timeout=40)
            found[name] = Caller(http, bodies, users.owner(client) if name in {NAMING, OPERATOR} else None)
        yield found


@pytest.fixture(scope="module")
def job_id(client: Client, image_id: str) -> str:
    """A job of the owner that is done."""
    job_id = client.submit(image_id).job_id
    assert list(client.watch(job_id))[-1].status is JobStatus.SUCCEEDED
    return job_id


@pytest.fixture(scope="module")
def told(callers: dict[str, Caller], job_id: str) -> dict[str, str]:
    """What everybody is told who subscribes to the job's events on the WebSocket, by caller."""
    (ticket,) = (operation for operation in OPERATIONS if operation.operation_id == "createTicket")
    found = {}
    for name, caller in callers.items():
        answer = caller(ticket, job_id)
        found[name] = str(answer.status_code)
        if answer.is_success:
            with channel.connected(answer.json()) as socket:
                channel.subscribe(socket, jobs={job_id: 0})
                events = [event for message in channel.heard(socket) for event in message.get("events", [])]
            found[name] = "its events" if any(event["subject"] == job_id for event in events) else "nothing"
    return found


@pytest.fixture(scope="module")
def answers(
    callers: dict[str, Caller], job_id: str, told: dict[str, str], world: World, deployed: Deployment, owner: str
) -> dict[tuple[str, str], httpx.Response]:
    """What everybody was answered, by operation and caller; checks on the way that the refused have changed nothing."""
    queue = world.outputs["JobQueueUrl"]
    about_it = [operation for operation in OPERATIONS if _is_about_a_job(operation)]
    others = [operation for operation in OPERATIONS if not _is_about_a_job(operation)]
    assert wait_for(lambda: world.is_empty(queue))
    before = _rows(deployed)
    with world.queue_unread():
        found = {(each.operation_id, name): callers[name](each, job_id) for each in OPERATIONS for name in REFUSED}
        found |= {(each.operation_id, name): callers[name](each, job_id) for each in about_it for name in FOREIGN}
        assert world.is_empty(queue)
        assert _rows(deployed) == before
        found |= {(each.operation_id, name): callers[name](each, job_id) for each in others for name in FOREIGN}
        assert _of(owner, _rows(deployed)) == _of(owner, before)
    # What deletes the job comes last.
    for operation in sorted(OPERATIONS, key=lambda operation: operation.method == "DELETE"):
        found[operation.operation_id, OWNER] = callers[OWNER](operation, job_id)
    return found


@pytest.mark.parametrize("caller", REFUSED)
@pytest.mark.parametrize("operation", OPERATIONS, ids=_name)
def test_call_without_a_token_of_ours_is_unauthorized(
    answers: dict[tuple[str, str], httpx.Response], operation: Operation, caller: str
) -> None:
    answer = answers[operation.operation_id, caller]
    assert answer.status_code == 401, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["type"] == "/problems/unauthorized"


@pytest.mark.parametrize("operation", list(filter(_is_about_a_job, OPERATIONS)), ids=_name)
def test_job_of_another_is_answered_byte_for_byte_like_one_that_is_not_there(
    answers: dict[tuple[str, str], httpx.Response], callers: dict[str, Caller], job_id: str, operation: Operation
) -> None:
    hidden = answers[operation.operation_id, ANOTHER_USER]
    unknown_id = "unknown".ljust(len(job_id), "-")
    unknown = callers[ANOTHER_USER](operation, unknown_id)
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert hidden.content.replace(job_id.encode(), unknown_id.encode()) == unknown.content
    assert _lasting(hidden.headers) == _lasting(unknown.headers)


@pytest.mark.parametrize("operation", list(filter(_is_for_operators, OPERATIONS)), ids=_name)
def test_call_for_operators_is_not_there_for_others(
    answers: dict[tuple[str, str], httpx.Response], operation: Operation
) -> None:
    assert {answers[operation.operation_id, name].status_code for name in (ANOTHER_USER, NAMING, OWNER)} == {404}
    assert answers[operation.operation_id, OPERATOR].status_code == 200


@pytest.mark.parametrize("operation", list(filter(_is_for_all, OPERATIONS)), ids=_name)
def test_call_about_no_job_of_another_is_answered_with_ones_own(
    answers: dict[tuple[str, str], httpx.Response], job_id: str, operation: Operation
) -> None:
    answer = answers[operation.operation_id, ANOTHER_USER]
    assert answer.is_success, answer.text
    assert (job_id in answer.text) == ("jobId" in operation.names("path"))


@pytest.mark.parametrize("operation", list(filterfalse(_is_for_operators, OPERATIONS)), ids=_name)
def test_owner_who_is_named_counts_for_operators_and_in_their_calls_only(
    answers: dict[tuple[str, str], httpx.Response], operation: Operation
) -> None:
    unnamed, naming, desk = (answers[operation.operation_id, name] for name in (ANOTHER_USER, NAMING, OPERATOR))
    if operation.operation_id in OPERATORS_MAY:
        assert naming.status_code == 404
        assert desk.status_code in {200, 409}
    else:
        assert unnamed.status_code == naming.status_code == desk.status_code
        assert unnamed.is_success or unnamed.content == naming.content == desk.content


@pytest.mark.parametrize("operation", list(filterfalse(_is_for_operators, OPERATIONS)), ids=_name)
def test_owner_is_answered(answers: dict[tuple[str, str], httpx.Response], operation: Operation) -> None:
    answer = answers[operation.operation_id, OWNER]
    assert answer.is_success or answer.status_code == 409, answer.text


def test_events_of_a_job_are_pushed_to_its_owner_alone(told: dict[str, str]) -> None:
    assert {name for name, what in told.items() if what == "its events"} == {OWNER}
    assert {told[name] for name in REFUSED} == {"401"}
    assert {told[name] for name in FOREIGN} == {"nothing"}


def test_table_of_the_docs_is_what_was_answered(
    answers: dict[tuple[str, str], httpx.Response], told: dict[str, str]
) -> None:
    lines = [f"| call | {' | '.join(CALLERS)} |", f"|---|{'---|' * len(CALLERS)}"]
    for operation in OPERATIONS:
        statuses = " | ".join(str(answers[operation.operation_id, caller].status_code) for caller in CALLERS)
        lines.append(f"| `{operation.method} {operation.path}` | {statuses} |")
    lines.append(f"| to subscribe to it on the WebSocket | {' | '.join(told[caller] for caller in CALLERS)} |")
    table = "\n".join(lines) + "\n"
    found = DOCUMENTED.search((ROOT / "docs" / "security.md").read_text())
    assert found
    assert found.group(1) == table, f"docs/security.md has to have, between its marks:\n{table}"


def _rows(deployed: Deployment) -> dict[tuple[str, str], Any]:
    """Every row of the job table by its key."""
    pages = deployed.client("dynamodb").get_paginator("scan").paginate(TableName=deployed.outputs["JobTableName"])
    rows = [row for page in pages for row in page["Items"]]
    return {(row["owner"]["S"], row["jobId"]["S"]): row for row in rows}


def _of(owner: str, rows: dict[tuple[str, str], Any]) -> dict[tuple[str, str], Any]:
    return {key: row for key, row in rows.items() if key[0] == owner}


def _lasting(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in OF_EACH_CALL}
