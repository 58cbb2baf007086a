"""The function behind the HTTP API."""

import base64
import json
import re
import time
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import jsonschema
import pytest
import yaml

from lambdas.adapters import job_table, keys, wire
from lambdas.handlers import api, operations, start_execution
from lambdas.jobs.errors import TransientError
from lambdas.jobs.model import Attempt, Failure
from lambdas.jobs.status import Status
from lambdas.jobs.times import now
from lambdas.stages.catalogue import LAST, ORDINARY, STAGES
from tests.functional.conftest import OWNER, STRANGER, Aws
from tests.functional.messages import SENT_MILLIS, batch, message

CONTRACT: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "openapi.yaml").read_text())
REPORT: dict[str, Any] = {"schemaVersion": 1, "image": {}, "analyses": {}, "summary": "A picture."}
CONTEXT = SimpleNamespace(
    aws_request_id="r", function_name="api", memory_limit_in_mb=512, invoked_function_arn="arn", log_group_name="g"
)
REQUEST_ID = "request-1"
TOKEN_END = 1772539200
"""When the tokens of `call` expire: what is written for people there, in seconds since the epoch."""


def call(
    method: str,
    path: str,
    *,
    owner: str = OWNER,
    body: Any = None,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    groups: str | None = None,
    expires: str = "Tue Mar 03 12:00:00 UTC 2026",
) -> dict[str, Any]:
    """Ask as the gateway does, and read the answer's body."""
    claims = {"sub": owner, "exp": expires} | ({} if groups is None else {"cognito:groups": groups})
    event = {
        "httpMethod": method,
        "path": path,
        "resource": path,
        "headers": headers or {},
        "multiValueHeaders": {name: [value] for name, value in (headers or {}).items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in (query or {}).items()} or None,
        "body": body if isinstance(body, str) or body is None else json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {
            "authorizer": {"claims": claims},
            "requestTimeEpoch": SENT_MILLIS,
            "requestId": REQUEST_ID,
        },
    }
    answering = operations if path.startswith("/operations") else api
    answer = answering.handler(event, CONTEXT)
    answer["document"] = json.loads(answer["body"]) if answer.get("body") else None
    assert_as_documented(method, path, answer)
    answer["header"] = {name.lower(): values[0] for name, values in (answer.get("multiValueHeaders") or {}).items()}
    return answer


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not there is not waited for long."""
    monkeypatch.setattr(api, "BRIEF_SECONDS", 0.05)


@pytest.fixture
def queued(aws: Aws) -> Aws:
    start_execution.handler(batch(message()), None)
    return aws


def test_create_upload_gives_a_place_under_the_owners_own_prefix(aws: Aws) -> None:
    answer = call("POST", "/uploads", body={"contentType": "image/png"})

    upload = answer["document"]
    policy = json.loads(base64.b64decode(upload["fields"]["policy"]))
    assert answer["statusCode"] == 201
    assert upload["fields"]["key"] == keys.upload_key(OWNER, upload["imageId"])
    assert ["content-length-range", 0, 1_000_000] in policy["conditions"]
    assert {"Content-Type": "image/png"} in policy["conditions"]
    assert upload["expiresAt"] == "2026-09-21T14:28:20.000Z"
    assert upload["maxBytes"] == 1_000_000


@pytest.mark.parametrize(
    "body", [None, "", "[]", {}, {"contentType": "text/html"}, {"contentType": "image/png", "key": "x"}]
)
def test_create_upload_broken_rule_is_a_problem_that_names_it(aws: Aws, body: Any) -> None:
    answer = call("POST", "/uploads", body=body)

    assert_problem(answer, 400, "bad-request")


def test_create_upload_of_another_media_type_is_refused(aws: Aws) -> None:
    answer = call("POST", "/uploads", body={"contentType": "image/png"}, headers={"Content-Type": "text/plain"})

    assert_problem(answer, 415, "unsupported-media-type")


def test_get_job_shows_it_whole(queued: Aws) -> None:
    answer = call("GET", "/jobs/job-1")

    job = answer["document"]
    assert answer["statusCode"] == 200
    assert answer["header"]["etag"] == '"1-1"'
    assert (job["jobId"], job["status"], job["progress"], job["attempt"]) == ("job-1", "QUEUED", 0, 1)
    waiting = {entry["stage"] for entry in job["timeline"] if entry["status"] == "PENDING"}
    assert waiting == {stage.name for stage in STAGES} - {"labels"}  # which has to be asked for
    assert job["options"] == {"colours": 6, "previewPixels": 1024, "thumbnailPixels": 256}
    assert job["links"]["result"] == "/jobs/job-1/result"


def test_get_job_whose_submission_could_not_be_read_says_so(aws: Aws) -> None:
    start_execution.handler(batch(message("[]")), None)

    job = call("GET", "/jobs/job-1")["document"]
    assert (job["status"], job["error"]["class"], "imageId" in job) == ("FAILED", "InvalidJob", False)


def test_get_job_of_another_is_answered_like_one_that_is_not_there(queued: Aws) -> None:
    foreign = call("GET", "/jobs/job-1", owner=STRANGER)
    unknown = call("GET", "/jobs/job-2", owner=STRANGER)

    assert_problem(foreign, 404, "job-not-found")
    assert foreign["header"] == unknown["header"]
    assert foreign["body"].replace("job-1", "job-2") == unknown["body"]
    assert foreign["header"]["retry-after"] == "1"


def test_get_job_known_version_answers_304(queued: Aws) -> None:
    answer = call("GET", "/jobs/job-1", headers={"If-None-Match": 'W/"0-0", "1-1"'})

    assert answer["statusCode"] == 304
    assert not answer["body"]
    assert answer["header"]["etag"] == '"1-1"'


def test_get_job_with_wait_answers_when_the_job_changes(queued: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def sleep(_: float) -> None:
        looks.append(1)
        if len(looks) == 3:
            queued.cancel("job-1")

    monkeypatch.setattr(time, "sleep", sleep)

    answer = call("GET", "/jobs/job-1", headers={"Prefer": "wait=20"})

    assert answer["document"]["status"] == "CANCELLED"
    assert answer["header"]["preference-applied"] == "wait=20"
    assert len(looks) == 3


def test_get_job_with_wait_for_a_job_that_has_ended_answers_at_once(
    queued: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued.cancel("job-1")
    monkeypatch.setattr(time, "sleep", _fail_to_sleep)

    assert call("GET", "/jobs/job-1", headers={"Prefer": "wait=20"})["document"]["status"] == "CANCELLED"


def test_get_job_with_an_endless_wait_waits_for_as_long_as_is_bounded(queued: Aws) -> None:
    queued.cancel("job-1")

    answer = call("GET", "/jobs/job-1", headers={"Prefer": "wait=99999"})

    assert answer["header"]["preference-applied"] == "wait=20"


def test_get_job_right_after_submitting_waits_for_the_row(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "BRIEF_SECONDS", 5)
    monkeypatch.setattr(time, "sleep", lambda _: start_execution.handler(batch(message()), None))

    assert call("GET", "/jobs/job-1")["document"]["status"] == "QUEUED"


@pytest.mark.parametrize("job_id", ["a.b", "x" * 65, "a b", "é", "job-1\n"])
def test_get_job_bad_id_is_a_problem_that_names_the_rule(aws: Aws, job_id: str) -> None:
    answer = call("GET", f"/jobs/{job_id}")

    assert_problem(answer, 400, "bad-request")
    assert answer["document"]["errors"][0]["field"] == "jobId"


def test_get_job_cut_off_in_a_stage_shows_which_one_failed(queued: Aws) -> None:
    attempt = Attempt(owner=OWNER, job_id="job-1")
    queued.table.begin_stage(attempt, "palette", token="t", now=now())
    queued.table.begin_stage(attempt, "codes", token="t", now=now())
    failure = Failure(error_class="States.Timeout", message="No answer.", stage="palette")
    queued.fail("job-1", failure)

    timeline = {entry["stage"]: entry for entry in call("GET", "/jobs/job-1")["document"]["timeline"]}

    assert timeline["palette"]["status"] == "FAILED"
    assert timeline["palette"]["error"]["class"] == "States.Timeout"
    assert timeline["codes"]["status"] == "STOPPED"
    assert timeline["report"]["status"] == "PENDING"


def test_list_jobs_pages_newest_first_without_gap_or_repeat(aws: Aws) -> None:
    submit_many(aws, 60)

    whole = call("GET", "/jobs", query={"limit": "200"})["document"]
    by_pages, query = [], {"limit": "13"}
    while True:
        page = call("GET", "/jobs", query=query)["document"]
        by_pages += [job["jobId"] for job in page["jobs"]]
        if "nextCursor" not in page:
            break
        query["cursor"] = page["nextCursor"]

    assert [job["jobId"] for job in whole["jobs"]] == by_pages == [f"job-{number:03}" for number in reversed(range(60))]


def test_list_jobs_by_status_lists_those_only(aws: Aws) -> None:
    submit_many(aws, 4)
    aws.cancel("job-002")

    cancelled = call("GET", "/jobs", query={"status": "CANCELLED"})["document"]["jobs"]
    waiting = call("GET", "/jobs", query={"status": "QUEUED"})["document"]["jobs"]

    assert [job["jobId"] for job in cancelled] == ["job-002"]
    assert [job["jobId"] for job in waiting] == ["job-003", "job-001", "job-000"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in ("", "/result", "/similar", "/events")),
        *(("POST", path) for path in ("/cancel", "/redrive")),
        ("DELETE", ""),
    ],
)
def test_job_of_another_takes_the_same_steps_as_one_that_is_not_there(
    queued: Aws, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    """So that its time tells nothing, either."""
    answered = wire.transmit
    asked: list[str] = []

    def transmit(request: wire.Request) -> wire.Response:
        asked.append(request.headers.get("x-amz-target", request.method))
        return answered(request)

    def steps(job_id: str) -> list[str]:
        asked.clear()
        assert call(method, f"/jobs/{job_id}{path}", owner=STRANGER)["statusCode"] == 404
        # It is looked for until a moment is over: how often depends on the machine.
        return [step for step, _ in groupby(asked)]

    monkeypatch.setattr(wire, "transmit", transmit)
    foreign, unknown = steps("job-1"), steps("job-2")

    assert foreign
    assert foreign == unknown


def test_list_jobs_of_another_are_not_listed_even_by_their_cursor(aws: Aws) -> None:
    submit_many(aws, 3)
    cursor = call("GET", "/jobs", query={"limit": "1"})["document"]["nextCursor"]

    assert call("GET", "/jobs", owner=STRANGER)["document"] == {"jobs": []}
    assert call("GET", "/jobs", owner=STRANGER, query={"cursor": cursor})["document"] == {"jobs": []}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "DONE"}, "status"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "٣"}, "limit"),
        ({"cursor": "%%%"}, "cursor"),
        ({"cursor": "bm9uc2Vuc2U"}, "cursor"),
        ({"cursor": "é"}, "cursor"),
    ],
)
def test_list_jobs_broken_rule_is_a_problem_that_names_it(aws: Aws, query: dict[str, str], field: str) -> None:
    answer = call("GET", "/jobs", query=query)

    assert_problem(answer, 400, "bad-request")
    assert answer["document"]["errors"][0]["field"] == field


def test_cancel_job_queued_ends_it(queued: Aws) -> None:
    answer = call("POST", "/jobs/job-1/cancel")

    assert (answer["statusCode"], answer["document"]["status"]) == (202, "CANCELLED")
    assert queued.job("job-1").status is Status.CANCELLED


def test_cancel_job_running_asks_it_to_stop_and_twice_is_harmless(queued: Aws) -> None:
    queued.table.begin_stage(Attempt(owner=OWNER, job_id="job-1"), "inspect", token="t", now=now())

    answers = [call("POST", "/jobs/job-1/cancel") for _ in range(2)]

    assert [(answer["statusCode"], answer["document"]["status"]) for answer in answers] == [(202, "CANCELLING")] * 2
    assert queued.job("job-1").version == 3


def test_cancel_job_that_has_ended_conflicts_and_changes_nothing(queued: Aws) -> None:
    failure = Failure(error_class="InvalidImage", message="No image.")
    queued.fail("job-1", failure)
    before = queued.job("job-1")

    answer = call("POST", "/jobs/job-1/cancel")

    assert_problem(answer, 409, "job-status-conflict")
    assert answer["document"]["jobStatus"] == "FAILED"
    assert queued.job("job-1") == before


def test_cancel_job_of_another_changes_nothing(queued: Aws) -> None:
    assert_problem(call("POST", "/jobs/job-1/cancel", owner=STRANGER), 404, "job-not-found")
    assert queued.job("job-1").status is Status.QUEUED


def test_cancel_job_still_in_the_queue_never_starts(aws: Aws) -> None:
    boto3.client("sqs").send_message(QueueUrl=aws.job_queue_url, MessageBody="{}")

    answer = call("POST", "/jobs/job-1/cancel")
    start_execution.handler(batch(message()), None)

    assert (answer["statusCode"], answer["document"]["status"]) == (202, "CANCELLED")
    assert aws.job("job-1").status is Status.CANCELLED
    assert aws.executions() == []


def test_cancel_job_still_in_the_queue_twice_is_harmless(aws: Aws) -> None:
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=aws.intake_dead_letters_url, MessageBody="{}")
    call("POST", "/jobs/job-1/cancel")
    sqs.purge_queue(QueueUrl=aws.intake_dead_letters_url)

    assert call("POST", "/jobs/job-1/cancel")["statusCode"] == 202


def test_note_early_cancel_never_replaces_a_job(queued: Aws) -> None:
    with pytest.raises(job_table.RefusedError):
        queued.table.note_early_cancel(OWNER, "job-1", now=now(), expires_at=1)

    assert queued.job("job-1").status is Status.QUEUED


def test_cancel_job_unknown_while_the_queue_is_empty_has_no_effect(aws: Aws) -> None:
    assert_problem(call("POST", "/jobs/job-1/cancel"), 404, "job-not-found")
    start_execution.handler(batch(message()), None)

    assert aws.job("job-1").status is Status.QUEUED


def test_cancel_job_that_starts_meanwhile_is_cancelled_where_it_is_then(
    queued: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_before = queued.job("job-1")
    queued.table.begin_stage(Attempt(owner=OWNER, job_id="job-1"), "inspect", token="t", now=now())
    monkeypatch.setattr(api, "wait_for_job", lambda *_: seen_before)

    assert call("POST", "/jobs/job-1/cancel")["document"]["status"] == "CANCELLING"


def test_get_result_before_the_end_conflicts(queued: Aws) -> None:
    assert_problem(call("GET", "/jobs/job-1/result"), 409, "job-status-conflict")


def test_get_result_gives_report_and_sends_to_pictures(queued: Aws) -> None:
    succeed(queued)
    queued.bucket.write_artefact(OWNER, "job-1", "f/report.json", json.dumps(REPORT).encode(), "application/json")

    report = call("GET", "/jobs/job-1/result")
    picture = call("GET", "/jobs/job-1/result", query={"artefact": "preview"})

    assert report["document"] == REPORT | {"jobId": "job-1"}
    assert picture["statusCode"] == 303
    assert f"/jobs/{OWNER}/job-1/f/preview.jpg?" in picture["header"]["location"]


def test_get_result_that_has_expired_is_not_there(queued: Aws) -> None:
    succeed(queued)

    assert_problem(call("GET", "/jobs/job-1/result"), 404, "job-not-found")


def test_get_job_that_has_expired_is_not_there(queued: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    expires_at = queued.job("job-1").expires_at
    assert expires_at == SENT_MILLIS // 1000 + 3650 * 24 * 60 * 60
    monkeypatch.setattr(time, "time", lambda: expires_at + 1)

    assert_problem(call("GET", "/jobs/job-1"), 404, "job-not-found")
    assert call("GET", "/jobs")["document"] == {"jobs": []}


def test_get_result_of_unknown_artefact_names_the_rule(queued: Aws) -> None:
    answer = call("GET", "/jobs/job-1/result", query={"artefact": "original"})

    assert_problem(answer, 400, "bad-request")


def test_api_table_out_of_reach_asks_to_try_again(queued: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_table.JobTable, "get", _out_of_reach)

    answer = call("GET", "/jobs/job-1")

    assert_problem(answer, 503, "unavailable")
    assert answer["header"]["retry-after"] == "1"


def test_api_unknown_fault_tells_no_more_than_needed(queued: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_table", _break)

    answer = call("GET", "/jobs/job-1")

    assert_problem(answer, 500, "server-error")
    assert "secret" not in answer["body"]


def assert_as_documented(method: str, path: str, answer: dict[str, Any]) -> None:
    """Hold an answer to the API document: its status is there, and its body fits the schema."""
    template = next(
        template for template in CONTRACT["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
    )
    responses = CONTRACT["paths"][template][method.lower()]["responses"]
    status = str(answer["statusCode"])
    response = responses.get(status) or responses[f"{status[0]}XX"]
    while "$ref" in response:
        response = CONTRACT["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    for media_type in response.get("content", {}).values():
        jsonschema.validate(answer["document"], {**media_type["schema"], "components": CONTRACT["components"]})


def assert_problem(answer: dict[str, Any], status: int, slug: str) -> None:
    assert answer["statusCode"] == status
    assert answer["header"]["content-type"] == "application/problem+json"
    assert answer["document"]["type"] == f"/problems/{slug}"
    assert answer["document"]["status"] == status
    assert answer["document"]["detail"]


def submit_many(aws: Aws, count: int) -> None:
    """Submit jobs, a second apart."""
    records = [message(job_id=f"job-{n:03}", sent_millis=SENT_MILLIS + n * 1000) for n in range(count)]
    for start in range(0, count, 10):
        start_execution.handler(batch(*records[start : start + 10]), None)


def succeed(aws: Aws) -> None:
    attempt = Attempt(owner=OWNER, job_id="job-1")
    for stage in ORDINARY:
        aws.table.begin_stage(attempt, stage.name, token="t", now=now())
        aws.table.end_stage(
            attempt,
            stage.name,
            result="{}",
            result_key=None,
            folder="f",
            checksums={},
            ends_job=stage is LAST,
            skipping={"regions": "small"} if stage.name == "inspect" else {},
            token="t",
            now=now(),
        )


def _fail_to_sleep(_: float) -> None:
    raise AssertionError("there was nothing to wait for")


def _out_of_reach(*_: Any) -> None:
    raise TransientError("Reading the job: AWS answered ThrottlingException.")


def _break() -> None:
    raise RuntimeError("a secret of the machinery")


@pytest.mark.parametrize(
    ("method", "path", "code"), [("GET", "", 200), ("GET", "/result", 409), ("POST", "/cancel", 202)]
)
def test_call_about_a_job_is_logged_under_the_number_that_the_gateway_gives_it(
    queued: Aws, capsys: pytest.CaptureFixture[str], method: str, path: str, code: int
) -> None:
    call(method, f"/jobs/job-1{path}")

    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines() if REQUEST_ID in text]
    assert (line["jobId"], line["attempt"], line["code"]) == ("job-1", 1, code)
    assert line["call"] == f"{method} /jobs/job-1{path}"  # as the gateway names the resource


def test_call_about_no_job_is_not_logged_as_one(queued: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    call("GET", "/jobs/job-1")
    capsys.readouterr()
    call("GET", "/jobs/nobodys")
    call("GET", "/jobs")

    assert REQUEST_ID not in capsys.readouterr().out
