"""The function that reads the job queue."""

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.adapters import executions
from lambdas.adapters.clients import client
from lambdas.adapters.job_items import key
from lambdas.handlers import bury_message, settling, start_execution
from lambdas.jobs.errors import TransientError
from lambdas.jobs.model import Attempt
from lambdas.jobs.status import StageStatus, Status
from tests.functional.conftest import OWNER, STRANGER, Aws
from tests.functional.messages import batch, failed_ids, message

TRACE = "1-5759e988-bd862e3fe1be46a994272793"


def test_start_execution_new_job_writes_row_and_starts_execution(aws: Aws) -> None:
    answer = start_execution.handler(batch(message({"imageId": "image-1", "tags": {"album": "2026"}})), None)

    job = aws.job("job-1")
    assert failed_ids(answer) == []
    assert (job.status, job.attempt, job.progress, job.tags) == (Status.QUEUED, 1, 0, {"album": "2026"})
    assert job.created_at == "2026-09-21T14:13:20.000Z"
    assert aws.executions() == [Attempt(owner=OWNER, job_id="job-1").execution_name]


def test_start_execution_some_analyses_skips_the_others(aws: Aws) -> None:
    start_execution.handler(batch(message({"imageId": "image-1", "analyses": ["codes"]})), None)

    stages = aws.job("job-1").stages
    assert {name for name, stage in stages.items() if stage.status is StageStatus.SKIPPED} == {
        "palette",
        "quality",
        "fingerprint",
        "regions",
        "labels",
    }


def test_start_execution_same_message_twice_starts_once(aws: Aws) -> None:
    record = message()

    start_execution.handler(batch(record, record), None)
    start_execution.handler(batch(record), None)

    assert len(aws.executions()) == 1
    assert aws.job("job-1").version == 1


def test_start_execution_same_id_other_body_first_wins(aws: Aws) -> None:
    start_execution.handler(batch(message({"imageId": "first"})), None)
    start_execution.handler(batch(message({"imageId": "second"})), None)

    assert aws.job("job-1").image_id == "first"
    assert len(aws.executions()) == 1


def test_start_execution_same_id_of_two_owners_makes_two_jobs(aws: Aws) -> None:
    start_execution.handler(batch(message(), message(owner=STRANGER)), None)

    assert aws.job("job-1", OWNER).owner == OWNER
    assert aws.job("job-1", STRANGER).owner == STRANGER
    assert len(aws.executions()) == 2


def test_start_execution_without_path_id_takes_message_id(aws: Aws) -> None:
    record = message(job_id=None)

    start_execution.handler(batch(record), None)

    assert aws.job(record["messageId"]).status is Status.QUEUED


def test_start_execution_crash_before_start_is_made_good_by_redelivery(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = message()
    with monkeypatch.context() as patch:
        patch.setattr(executions, "start", _throttled)
        answer = start_execution.handler(batch(record), None)
    assert failed_ids(answer) == [record["messageId"]]
    assert aws.executions() == []

    assert failed_ids(start_execution.handler(batch(record), None)) == []
    assert len(aws.executions()) == 1


def test_start_execution_cancelled_before_read_never_starts(aws: Aws) -> None:
    aws.table.note_early_cancel(OWNER, "job-1", now="2026-09-21T14:13:19.000Z", expires_at=2_000_000_000)

    start_execution.handler(batch(message()), None)
    start_execution.handler(batch(message()), None)

    assert aws.job("job-1").status is Status.CANCELLED
    assert aws.executions() == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"imageId": "../other"}, "imageId"),
        ({}, "imageId"),
        ({"imageId": "image-1", "owner": STRANGER}, "owner"),
        ({"imageId": "image-1", "analyses": []}, "analyses"),
        ({"imageId": "image-1", "analyses": ["astrology"]}, "analyses"),
        ({"imageId": "image-1", "options": {"colours": 99}}, "options.colours"),
        ({"imageId": "image-1", "options": {"colours": True}}, "options.colours"),
        ({"imageId": "image-1", "options": {"sepia": 1}}, "options.sepia"),
        ({"imageId": "image-1", "tags": {"a": 1}}, "tags.a"),
        ({"imageId": "image-1", "tags": {str(i): "x" for i in range(11)}}, "tags"),
        ("[]", "JSON object"),
        ('{"imageId": "a", "tags": {"a": "\\ud800"}}', "surrogate"),
        ("[" * 60_000, "cannot be read"),
        ('{"imageId": "a", "imageId": "b"}', "twice"),
        ("[" * 100_000, "characters"),
        ('{"imageId": NaN}', "NaN"),
    ],
)
def test_start_execution_broken_rule_fails_job_and_says_why(aws: Aws, body: Any, field: str) -> None:
    record = message(body if body != {} else "{}")

    answer = start_execution.handler(batch(record), None)

    job = aws.job("job-1")
    (letter,) = aws.letters()
    assert failed_ids(answer) == []
    assert job.status is Status.FAILED
    assert job.error is not None
    assert field in job.error.message
    assert (letter["jobId"], letter["errorClass"], letter["message"]) == ("job-1", "InvalidJob", job.error.message)
    assert letter["redriveCanHelp"] is False
    assert aws.executions() == []


@pytest.mark.parametrize(
    "record",
    [
        message(owner=None),
        message(version="2"),
        message(version=None),
        message(job_id="a/b"),
        message("not json", owner=None),
    ],
)
def test_start_execution_foreign_message_becomes_dead_letter_and_spares_its_batch(
    aws: Aws, record: dict[str, Any]
) -> None:
    answer = start_execution.handler(batch(record, message(job_id="good")), None)

    (letter,) = aws.letters()
    assert failed_ids(answer) == []
    assert letter["jobId"] is None
    assert letter["errorClass"] == "InvalidJob"
    assert aws.job("good").status is Status.QUEUED


def test_start_execution_broken_rule_under_id_of_a_good_job_leaves_it_alone(aws: Aws) -> None:
    start_execution.handler(batch(message()), None)
    aws.table.begin_stage(Attempt(owner=OWNER, job_id="job-1"), "inspect", token="t", now="2026-09-21T14:13:21.000Z")

    start_execution.handler(batch(message('{"imageId": 7}')), None)

    assert aws.job("job-1").status is Status.RUNNING
    assert aws.letters() == []


def test_start_execution_broken_rule_under_id_of_a_queued_job_leaves_it_alone(aws: Aws) -> None:
    start_execution.handler(batch(message()), None)

    start_execution.handler(batch(message({"imageId": "image-1", "tags": {"x" * 65: "y"}})), None)

    assert aws.job("job-1").status is Status.QUEUED
    assert aws.letters() == []


def test_start_execution_letter_that_cannot_be_sent_is_sent_by_redelivery(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = message("[]")
    with monkeypatch.context() as patch:
        patch.setattr(settling, "send_dead_letter", _throttled)
        assert failed_ids(start_execution.handler(batch(record), None)) == [record["messageId"]]

    start_execution.handler(batch(record), None)

    assert aws.job("job-1").status is Status.FAILED
    assert len(aws.letters()) == 1


def test_start_execution_id_whose_execution_is_older_than_the_job_is_refused(aws: Aws) -> None:
    start_execution.handler(batch(message()), None)
    aws.end_execution("job-1")
    client("dynamodb").delete_item(TableName="jobs", Key=key(OWNER, "job-1"))
    much_later = 4_000_000_000_000

    start_execution.handler(batch(message(sent_millis=much_later)), None)

    job = aws.job("job-1")
    assert job.error is not None
    assert "another id" in job.error.message
    assert len(aws.letters()) == 1


def test_start_execution_attribute_of_another_type_is_no_attribute(aws: Aws) -> None:
    record = message()
    record["messageAttributes"]["owner"] = {"binaryValue": "AA==", "dataType": "Binary"}

    assert failed_ids(start_execution.handler(batch(record), None)) == []
    assert aws.letters()[0]["jobId"] is None


def test_start_execution_job_that_comes_too_late_fails_without_running(aws: Aws) -> None:
    late = message({"imageId": "image-1", "options": {"deadlineSeconds": 1}})

    assert failed_ids(start_execution.handler(batch(late), None)) == []

    job = aws.job("job-1")
    (letter,) = aws.letters()
    assert (job.status, letter["errorClass"], letter["stage"]) == (Status.FAILED, "DeadlineExceeded", "start")
    assert job.deadline_at == "2026-09-21T14:13:21.000Z"
    assert aws.executions() == []


def test_bury_message_transient_fault_leaves_message_in_queue(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    record = message()
    monkeypatch.setattr(executions, "start", _throttled)

    answer = bury_message.handler(batch(record), None)

    assert failed_ids(answer) == [record["messageId"]]
    assert aws.job("job-1").status is Status.QUEUED
    assert aws.letters() == []


def test_bury_message_fault_gone_starts_job(aws: Aws) -> None:
    bury_message.handler(batch(message()), None)

    assert len(aws.executions()) == 1


def test_bury_message_lasting_fault_fails_job_with_letter(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executions, "start", _denied)

    answer = bury_message.handler(batch(message()), None)

    (letter,) = aws.letters()
    job = aws.job("job-1")
    assert failed_ids(answer) == []
    assert (job.status, job.error.error_class if job.error else None) == (Status.FAILED, "StartFailed")
    assert (letter["jobId"], letter["errorClass"], letter["stage"]) == ("job-1", "StartFailed", "start")
    assert letter["redriveCanHelp"] is True


def _throttled(*_: Any, **__: Any) -> bool:
    raise TransientError("Starting the execution: AWS answered ThrottlingException.")


def _denied(*_: Any, **__: Any) -> bool:
    raise PermissionError("not allowed")


def test_start_execution_goes_on_with_the_trace_of_the_call(aws: Aws, handed_on: list[str | None]) -> None:
    start_execution.handler(batch(traced(f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1")), None)

    assert aws.job("job-1").trace == f"Root={TRACE};Sampled=1"
    assert handed_on == [f"Root={TRACE};Sampled=1"]


@pytest.mark.parametrize("header", [None, "", "Root=;Sampled=1", "Root=1-x;Sampled=1", 'Root={"a": 1}'])
def test_start_execution_without_a_trace_that_is_one_makes_its_own(
    aws: Aws, handed_on: list[str | None], header: str | None
) -> None:
    record = traced(header)
    start_execution.handler(batch(record), None)

    trace = aws.job("job-1").trace
    assert trace is not None
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", trace)
    assert handed_on == [trace]


def test_start_execution_another_message_for_the_job_does_not_change_its_trace(aws: Aws) -> None:
    start_execution.handler(batch(traced(f"Root={TRACE};Sampled=1")), None)
    start_execution.handler(batch(traced(f"Root={TRACE.replace('5', '6')};Sampled=1")), None)

    assert aws.job("job-1").trace == f"Root={TRACE};Sampled=1"


def test_start_execution_logs_the_trace_of_the_job(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    start_execution.handler(batch(traced(f"Root={TRACE};Sampled=1")), None)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "jobId" in line]
    assert lines
    assert {line["traceId"] for line in lines} == {TRACE}


@pytest.fixture
def handed_on(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The traces that executions are started with: the one thing that AWS in memory does not keep of them."""
    headers: list[str | None] = []
    real = executions.client

    def watched(service: str) -> Any:
        states = real(service)

        def start(**asked: Any) -> Any:
            headers.append(asked.get("traceHeader"))
            return states.start_execution(**asked)

        return SimpleNamespace(start_execution=start, describe_execution=states.describe_execution)

    monkeypatch.setattr(executions, "client", watched)
    return headers


def traced(header: str | None) -> dict[str, Any]:
    """A message that carries this trace along."""
    record = message()
    if header is not None:
        record["attributes"]["AWSTraceHeader"] = header
    return record
