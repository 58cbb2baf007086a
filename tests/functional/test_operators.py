"""Operators, who may name another owner, and everybody else, who may not."""

import pytest

from lambdas.handlers import api, start_execution
from lambdas.jobs.model import Failure
from lambdas.jobs.status import Status
from tests.functional.conftest import OWNER, STRANGER, Aws
from tests.functional.messages import batch, message
from tests.functional.test_api import assert_problem, call

OPERATOR = "0f7d2c55-9f4b-4a6e-b8ee-31f7d6a0c333"
GROUPS = ["[operators]", "[staff operators]", "operators", "staff,operators"]
"""The ways in which a gateway may write a list."""
NO_OPERATOR = [None, "", "[]", "[operator]", "[staff]", "Operators", "[not-operators operators-too]", "x.operators"]
ABOUT_JOBS = [
    ("GET", "/jobs/job-1"),
    ("POST", "/jobs/job-1/cancel"),
    ("POST", "/jobs/job-1/redrive"),
]


@pytest.fixture
def queued(aws: Aws) -> Aws:
    start_execution.handler(batch(message()), None)
    return aws


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "BRIEF_SECONDS", 0.05)


@pytest.mark.parametrize("groups", GROUPS)
def test_operator_sees_the_jobs_of_the_owner_that_is_named(queued: Aws, groups: str) -> None:
    one = call("GET", "/jobs/job-1", owner=OPERATOR, groups=groups, query={"owner": OWNER})
    listed = call("GET", "/jobs", owner=OPERATOR, groups=groups, query={"owner": OWNER})

    assert (one["statusCode"], one["document"]["jobId"]) == (200, "job-1")
    assert [job["jobId"] for job in listed["document"]["jobs"]] == ["job-1"]


def test_operator_cancels_and_redrives_for_the_owner_that_is_named(queued: Aws) -> None:
    queued.fail("job-1", Failure(error_class="States.Timeout", message="slow"))
    redriven = call("POST", "/jobs/job-1/redrive", owner=OPERATOR, groups="[operators]", query={"owner": OWNER})
    cancelled = call("POST", "/jobs/job-1/cancel", owner=OPERATOR, groups="[operators]", query={"owner": OWNER})

    assert (redriven["statusCode"], cancelled["statusCode"]) == (202, 202)
    job = queued.job("job-1")
    assert (job.owner, job.attempt, job.status) == (OWNER, 2, Status.CANCELLED)
    assert queued.table.get(OPERATOR, "job-1") is None


def test_operator_pages_through_the_jobs_of_the_owner_that_is_named(aws: Aws) -> None:
    start_execution.handler(batch(message(job_id="a"), message(job_id="b")), None)
    query = {"owner": OWNER, "limit": "1"}
    first = call("GET", "/jobs", owner=OPERATOR, groups="[operators]", query=query)["document"]
    second = call("GET", "/jobs", owner=OPERATOR, groups="[operators]", query={**query, "cursor": first["nextCursor"]})[
        "document"
    ]

    assert {job["jobId"] for page in (first, second) for job in page["jobs"]} == {"a", "b"}


def test_operator_who_names_nobody_sees_only_what_is_their_own(queued: Aws) -> None:
    assert_problem(call("GET", "/jobs/job-1", owner=OPERATOR, groups="[operators]"), 404, "job-not-found")
    assert call("GET", "/jobs", owner=OPERATOR, groups="[operators]")["document"] == {"jobs": []}


def test_operator_gets_no_result_and_deletes_nothing(queued: Aws) -> None:
    queued.fail("job-1", Failure(error_class="States.Timeout", message="slow"))
    for method, path in (("GET", "/jobs/job-1/result"), ("DELETE", "/jobs/job-1")):
        answer = call(method, path, owner=OPERATOR, groups="[operators]", query={"owner": OWNER})
        assert_problem(answer, 404, "job-not-found")
    assert queued.job("job-1").status is Status.FAILED


def test_every_use_is_logged_with_who_and_whose(queued: Aws, caplog: pytest.LogCaptureFixture) -> None:
    for method, path in [("GET", "/jobs"), *ABOUT_JOBS]:
        call(method, path, owner=OPERATOR, groups="[operators]", query={"owner": OWNER})

    uses = [vars(record) for record in caplog.records if record.getMessage() == "An operator acts for an owner"]
    assert [(use["operator"], use["owner"], use["call"]) for use in uses] == [
        (OPERATOR, OWNER, f"{method} {path}") for method, path in [("GET", "/jobs"), *ABOUT_JOBS]
    ]


@pytest.mark.parametrize("groups", NO_OPERATOR)
@pytest.mark.parametrize(("method", "path"), ABOUT_JOBS)
def test_others_are_answered_as_if_the_owner_had_no_such_job(
    queued: Aws, groups: str | None, method: str, path: str
) -> None:
    foreign = call(method, path, owner=STRANGER, groups=groups, query={"owner": OWNER})
    unknown = call(method, path, owner=STRANGER, groups=groups, query={"owner": "nobody"})
    without = call("GET", path.partition("/c")[0].partition("/redrive")[0], owner=STRANGER, groups=groups)

    assert_problem(foreign, 404, "job-not-found")
    assert (foreign["body"], foreign["header"]) == (unknown["body"], unknown["header"])
    assert foreign["body"] == without["body"]
    assert (queued.job("job-1").status, queued.job("job-1").attempt) == (Status.QUEUED, 1)


def test_others_list_nothing_of_an_owner_that_they_name(queued: Aws) -> None:
    foreign = call("GET", "/jobs", owner=STRANGER, query={"owner": OWNER})
    unknown = call("GET", "/jobs", owner=STRANGER, query={"owner": "nobody"})

    assert_problem(foreign, 404, "job-not-found")
    assert foreign["body"] == unknown["body"]


def test_owner_who_names_themselves_is_answered_as_without(queued: Aws) -> None:
    assert call("GET", "/jobs/job-1", query={"owner": OWNER})["statusCode"] == 200


@pytest.mark.parametrize("named", ["", "a b", "../x", "x" * 129, "a#b", "a\n"])
def test_owner_that_can_be_nobody_is_a_broken_rule(queued: Aws, named: str) -> None:
    answer = call("GET", "/jobs", owner=OPERATOR, groups="[operators]", query={"owner": named})

    assert_problem(answer, 400, "bad-request")
