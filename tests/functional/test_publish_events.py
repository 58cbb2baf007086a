"""Events: made of the table's real stream, written to a real log, told on a real bus, and read through the API."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.adapters import wire
from lambdas.adapters.aws_errors import ClientError
from lambdas.adapters.event_log import EventLog
from lambdas.adapters.wire import Request, Response
from lambdas.handlers import api, clean_up, publish_events, start_execution
from lambdas.jobs.errors import JobCancelled
from lambdas.jobs.model import Failure
from lambdas.jobs.status import StageStatus
from lambdas.jobs.times import now
from lambdas.stages.catalogue import STAGES
from laptop.bench.in_memory import answered_in_memory
from tests.functional.conftest import OWNER, STRANGER, Aws
from tests.functional.messages import batch, message
from tests.functional.runner import ATTEMPT, Runner, find_nothing, make_working_copy
from tests.functional.test_api import assert_problem, call

PATH = "/jobs/job-1/events"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not there is not waited for long."""
    monkeypatch.setattr(api, "BRIEF_SECONDS", 0.05)


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(monkeypatch)


@pytest.fixture
def queued(aws: Aws) -> Aws:
    aws.upload("image-1", b"the image")
    start_execution.handler(batch(message({"imageId": "image-1"})), None)
    return aws


@pytest.fixture
def succeeded(queued: Aws, stages: Runner) -> Aws:
    """A job that has gone through all stages, the reconciler having had a look at it on the way."""
    for stage in STAGES:
        stages.run(stage.name, make_working_copy if stage.name == "inspect" else find_nothing)
        if stage.name == "inspect":
            queued.watch_list.claim(queued.job("job-1"), due_at=now())
    return queued


def logged(owner: str = OWNER) -> list[dict[str, Any]]:
    return EventLog("events").after(owner, "job-1", 0, limit=200)


def publish(records: list[dict[str, Any]]) -> None:
    publish_events.handler({"Records": records}, None)


def test_publish_events_every_change_of_a_job_is_one_event(succeeded: Aws) -> None:
    publish(succeeded.stream())

    events = logged()
    done = [name for name, record in succeeded.job("job-1").stages.items() if record.status is StageStatus.DONE]
    assert [event["data"]["seq"] for event in events] == list(range(1, succeeded.job("job-1").version + 1))
    assert [event["type"] for event in events] == [
        "darkroom.job.queued",
        "darkroom.job.running",
        *["darkroom.stage.done", "darkroom.stage.running"] * (len(done) - 1),
        "darkroom.job.succeeded",
    ]
    assert [entry["stage"] for entry in events[0]["data"]["stages"]] == ["labels"], "not asked for"
    assert [entry["stage"] for entry in events[1]["data"]["stages"]] == ["inspect"]
    progress = [event["data"]["progress"] for event in events]
    assert (progress, progress[-1]) == (sorted(progress), 100)
    assert len({event["id"] for event in events}) == len(events)


def test_publish_events_are_what_the_job_shows_in_the_end(succeeded: Aws) -> None:
    """Whoever has the events and no more knows the timeline."""
    publish(succeeded.stream())
    known: dict[str, Any] = {}
    for event in logged():
        known |= {entry["stage"]: entry for entry in event["data"]["stages"]}

    job = call("GET", "/jobs/job-1")["document"]

    assert known == {entry["stage"]: entry for entry in job["timeline"]}
    assert logged()[-1]["time"] == job["updatedAt"]


def test_publish_events_row_that_cannot_be_read_is_noted_and_holds_up_no_other(succeeded: Aws) -> None:
    records = succeeded.stream()
    strange = {"owner": {"S": OWNER}, "jobId": {"S": "strange"}}
    foreign = {"dynamodb": {"Keys": strange, "SequenceNumber": "7", "NewImage": strange | {"photo": {"S": "secret"}}}}
    publish([foreign, *records])

    (noted,) = boto3.client("sqs").receive_message(QueueUrl=succeeded.event_failures_url)["Messages"]
    note = json.loads(noted["Body"])
    assert (note["keys"], note["sequenceNumber"]) == (strange, "7")
    assert "secret" not in noted["Body"]
    assert [event["data"]["seq"] for event in logged()] == list(range(1, succeeded.job("job-1").version + 1))


def test_publish_events_failure_and_redrive_are_told(queued: Aws, stages: Runner) -> None:
    stages.run("inspect", make_working_copy)
    queued.fail("job-1", Failure(error_class="States.Timeout", message="No answer.", stage="palette"))
    call("POST", "/jobs/job-1/redrive")
    publish(queued.stream())

    failed, redriven = logged()[-2:]
    assert (failed["type"], failed["data"]["error"]["class"]) == ("darkroom.job.failed", "States.Timeout")
    assert (redriven["type"], redriven["data"]["attempt"]) == ("darkroom.job.queued", 2)
    assert "error" not in redriven["data"]


def test_publish_events_stage_that_a_cancel_has_stopped_is_told_as_stopped(queued: Aws, stages: Runner) -> None:
    def cancelled(_: Any) -> Any:
        queued.cancel("job-1")
        raise JobCancelled("The owner has cancelled the job.")

    with pytest.raises(JobCancelled):
        stages.run("inspect", cancelled)
    clean_up.handler(ATTEMPT.payload(), None)
    publish(queued.stream())

    *_, cancelling, end = logged()
    assert (cancelling["type"], end["type"]) == ("darkroom.job.cancelling", "darkroom.job.cancelled")
    assert [(entry["stage"], entry["status"]) for entry in end["data"]["stages"]] == [("inspect", "STOPPED")]


def test_publish_events_what_is_no_change_of_a_job_is_no_event(queued: Aws) -> None:
    queued.watch_list.claim(queued.job("job-1"), due_at=now())
    queued.watch_list.unwatch(queued.job("job-1"))
    queued.table.note_early_cancel(OWNER, "job-2", now=now(), expires_at=1)
    boto3.client("dynamodb").delete_item(TableName="jobs", Key={"owner": {"S": OWNER}, "jobId": {"S": "job-1"}})
    publish(queued.stream())

    assert [event["data"]["seq"] for event in logged()] == [1]


def test_publish_events_of_a_job_that_is_deleted_are_forgotten(succeeded: Aws) -> None:
    call("DELETE", "/jobs/job-1")
    publish(succeeded.stream())

    assert logged() == []


def test_list_events_holds_back_what_follows_a_gap_until_it_is_old(
    succeeded: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = succeeded.stream()
    publish([record for record in records if record["dynamodb"]["NewImage"]["version"] != {"N": "5"}])

    def seqs() -> list[int]:
        return [event["data"]["seq"] for event in logged()]

    last = succeeded.job("job-1").version
    assert seqs() == [1, 2, 3, 4]
    monkeypatch.setattr("lambdas.adapters.event_log.HELD_BACK", timedelta(0))
    assert seqs() == [seq for seq in range(1, last + 1) if seq != 5]


def test_list_events_of_an_earlier_job_by_the_same_id_are_not_told(succeeded: Aws) -> None:
    EventLog("events").append((OWNER, 1, change) for change in _changes_of(succeeded))

    assert logged() == []


def _changes_of(aws: Aws) -> list[dict[str, Any]]:
    publish(aws.stream())
    return logged()


def test_publish_events_of_a_whole_job_asks_aws_for_little(succeeded: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/performance.md counts: a write unit for each change, and one look for watchers."""
    requests: list[Request] = []

    def transmit(request: Request) -> Response:
        requests.append(request)
        return answered_in_memory(request)

    monkeypatch.setattr(wire, "transmit", transmit)
    publish(succeeded.stream())

    asked = Counter(request.headers["x-amz-target"].partition(".")[2] for request in requests)
    assert asked == {"BatchWriteItem": 1, "Query": 1, "PutEvents": 2}
    (written,) = (request for request in requests if request.headers["x-amz-target"].endswith("BatchWriteItem"))
    items = [put["PutRequest"]["Item"] for put in json.loads(written.body)["RequestItems"]["events"]]
    assert len(items) == succeeded.job("job-1").version
    assert max(len(json.dumps(item)) for item in items) < 1024


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms(use_true_random=False))
def test_publish_events_in_any_batches_repeated_at_any_point_logs_the_same(succeeded: Aws, chance: Any) -> None:
    """The stream gives a batch that failed again, whole or halved; what was dealt with already comes again."""
    records = succeeded.stream()
    start = 0
    while start < len(records):
        end = start + chance.randint(1, len(records))
        for _ in range(chance.randint(1, 2)):
            publish(records[start:end])
        start = max(start + 1, end - chance.randint(0, 2))

    assert [event["data"]["seq"] for event in logged()] == list(range(1, succeeded.job("job-1").version + 1))


def test_publish_events_that_cannot_be_written_are_not_called_done(
    succeeded: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_TABLE", "nowhere")

    with pytest.raises(ClientError, match="ResourceNotFound"):
        publish(succeeded.stream())


def test_list_events_gives_those_that_were_missed(succeeded: Aws) -> None:
    publish(succeeded.stream())
    last = succeeded.job("job-1").version

    some = call("GET", PATH, query={"afterSeq": "3", "limit": "2"})["document"]["events"]
    rest = call("GET", PATH, query={"afterSeq": "5"}, headers={"Prefer": "wait=20"})["document"]["events"]
    none = call("GET", PATH, query={"afterSeq": str(last)}, headers={"Prefer": "wait=20"})["document"]["events"]

    assert [event["data"]["seq"] for event in some] == [4, 5]
    assert [event["data"]["seq"] for event in rest] == list(range(6, last + 1))
    assert none == []  # and at once: the job is over


def test_list_events_waits_for_something_new(queued: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(queued.stream())

    def happen(_: float) -> None:
        queued.cancel("job-1")
        publish(queued.stream())

    monkeypatch.setattr("lambdas.handlers.waiting.time.sleep", happen)
    answer = call("GET", PATH, query={"afterSeq": "1"}, headers={"Prefer": "wait=5"})

    assert [event["type"] for event in answer["document"]["events"]] == ["darkroom.job.cancelled"]
    assert answer["multiValueHeaders"]["Preference-Applied"] == ["wait=5"]


def test_list_events_after_a_number_that_is_to_come_waits_for_nothing(queued: Aws) -> None:
    publish(queued.stream())

    answer = call("GET", PATH, query={"afterSeq": "999"}, headers={"Prefer": "wait=20"})

    assert answer["document"]["events"] == []


def test_list_events_of_another_are_as_unknown_as_those_of_no_job(succeeded: Aws) -> None:
    publish(succeeded.stream())

    assert_problem(call("GET", PATH, owner=STRANGER), 404, "job-not-found")
    assert logged(STRANGER) == []


@pytest.mark.parametrize("seq", ["-1", "one", "", "1.5", "9999999999"])
def test_list_events_after_no_number_is_refused(succeeded: Aws, seq: str) -> None:
    assert_problem(call("GET", PATH, query={"afterSeq": seq}), 400, "bad-request")
