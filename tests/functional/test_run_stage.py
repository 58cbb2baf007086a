"""The envelope around every stage, with stages made for the test."""

import os
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from lambdas.adapters.clients import client
from lambdas.adapters.row_writes import RefusedError
from lambdas.handlers import clean_up, run_stage, settle_failed, start_execution
from lambdas.jobs.errors import (
    DeadlineExceeded,
    ImageNotFound,
    InvalidImage,
    JobCancelled,
    JobSuperseded,
    StageTimeout,
    UnexpectedError,
)
from lambdas.jobs.model import Attempt, Failure
from lambdas.jobs.status import StageStatus, Status
from lambdas.jobs.times import now
from lambdas.stages.catalogue import STAGES
from lambdas.stages.contract import Artefact, StageInput, StageOutput
from tests.functional.conftest import OWNER, Aws
from tests.functional.messages import batch, message
from tests.functional.runner import ATTEMPT, Runner, make_working_copy


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(monkeypatch)


@pytest.fixture
def queued(aws: Aws) -> Aws:
    """A deployment with one uploaded image and one queued job."""
    aws.upload("image-1", b"the image")
    start_execution.handler(batch(message({"imageId": "image-1"})), None)
    return aws


def test_run_stage_first_stage_moves_job_to_running(queued: Aws, stages: Runner) -> None:
    stages.run("inspect", make_working_copy)

    job = queued.job("job-1")
    assert job.status is Status.RUNNING
    assert job.stages["inspect"].status is StageStatus.DONE
    assert job.stages["inspect"].result == {"seen": "the image"}
    assert job.stages["inspect"].tries == 1
    assert queued.artefacts("job-1") == {"working-copy.jpg"}


def test_run_stage_all_stages_settles_job_as_succeeded(queued: Aws, stages: Runner) -> None:
    progress = []
    for stage in STAGES:
        stages.run(stage.name, make_working_copy if stage.name == "inspect" else None)
        progress.append(queued.job("job-1").progress)

    job = queued.job("job-1")
    assert job.status is Status.SUCCEEDED
    assert job.finished_at is not None
    assert progress == sorted(progress)
    assert progress[-1] == 100


def test_run_stage_decodes_uploads_and_nothing_else_in_another_process(queued: Aws, stages: Runner) -> None:
    def tell_process(stage_input: StageInput) -> StageOutput:
        made = make_working_copy(stage_input)
        return StageOutput(result={"process": os.getpid()}, artefacts=made.artefacts)

    for name in ("inspect", "palette"):
        stages.run(name, tell_process, contained=True)

    processes = {name: queued.job("job-1").stages[name].result["process"] for name in ("inspect", "palette")}
    assert processes["inspect"] != processes["palette"] == os.getpid()


def test_run_stage_writes_two_times_per_stage(queued: Aws, stages: Runner) -> None:
    before = queued.job("job-1").version
    stages.run("inspect", make_working_copy)

    assert queued.job("job-1").version - before == 2


def test_run_stage_done_before_does_no_work_again(queued: Aws, stages: Runner) -> None:
    stages.run("inspect", make_working_copy)
    stages.run("inspect", make_working_copy)

    assert stages.worked == ["inspect"]
    assert queued.job("job-1").stages["inspect"].tries == 1


def test_run_stage_last_stage_repeated_after_the_end_is_harmless(queued: Aws, stages: Runner) -> None:
    for stage in STAGES:
        stages.run(stage.name, make_working_copy if stage.name == "inspect" else None)
    stages.run("report")

    assert stages.worked.count("report") == 1
    assert queued.job("job-1").status is Status.SUCCEEDED


def test_run_stage_not_asked_for_does_no_work_and_no_write(aws: Aws, stages: Runner) -> None:
    start_execution.handler(batch(message({"imageId": "image-1", "analyses": ["codes"]})), None)
    before = aws.job("job-1").version

    stages.run("palette")

    assert stages.worked == []
    assert aws.job("job-1").version == before


def test_run_stage_missing_upload_is_a_clear_permanent_error(aws: Aws, stages: Runner) -> None:
    start_execution.handler(batch(message({"imageId": "never-uploaded"})), None)

    with pytest.raises(ImageNotFound, match="never-uploaded"):
        stages.run("inspect")

    stage = aws.job("job-1").stages["inspect"]
    assert stage.status is StageStatus.FAILED
    assert stage.error is not None
    assert stage.error.error_class == "ImageNotFound"


def test_run_stage_unknown_fault_is_named_and_recorded(queued: Aws, stages: Runner) -> None:
    with pytest.raises(UnexpectedError, match="inspect failed with KeyError"):
        stages.run("inspect", _raise(KeyError("colour")))

    stage = queued.job("job-1").stages["inspect"]
    assert stage.error is not None
    assert stage.error.error_class == "UnexpectedError"


def test_run_stage_that_fails_while_it_is_cancelled_is_cancelled(queued: Aws, stages: Runner) -> None:
    def work(stage_input: StageInput) -> StageOutput:
        queued.cancel("job-1")
        raise InvalidImage("The file ends early.")

    with pytest.raises(JobCancelled):
        stages.run("inspect", work)


def test_run_stage_late_failure_of_an_earlier_try_does_not_harm_the_later_one(queued: Aws, stages: Runner) -> None:
    def first(stage_input: StageInput) -> StageOutput:
        stages.run("inspect", second)
        raise KeyError("colour")

    def second(stage_input: StageInput) -> StageOutput:
        return make_working_copy(stage_input)

    with pytest.raises(UnexpectedError):
        stages.run("inspect", first)

    assert queued.job("job-1").stages["inspect"].status is StageStatus.DONE


def test_run_stage_failure_of_an_earlier_try_while_a_later_one_works_is_not_recorded(
    queued: Aws, stages: Runner
) -> None:
    queued.table.begin_stage(ATTEMPT, "inspect", token="earlier", now=now())
    queued.table.begin_stage(ATTEMPT, "inspect", token="later", now=now())
    failure = Failure(error_class="TransientError", message="m", stage="inspect")

    with pytest.raises(RefusedError):
        queued.table.record_stage_failure(ATTEMPT, "inspect", failure, token="earlier", now=now())
    queued.table.record_stage_failure(ATTEMPT, "inspect", failure, token="later", now=now())

    assert queued.job("job-1").stages["inspect"].status is StageStatus.FAILED


def test_run_stage_retry_after_fault_succeeds_and_forgets_the_error(queued: Aws, stages: Runner) -> None:
    with pytest.raises(UnexpectedError):
        stages.run("inspect", _raise(KeyError("colour")))
    stages.run("inspect", make_working_copy)

    stage = queued.job("job-1").stages["inspect"]
    assert (stage.status, stage.tries, stage.error) == (StageStatus.DONE, 2, None)


def test_run_stage_large_result_goes_to_the_bucket_and_comes_back(queued: Aws, stages: Runner) -> None:
    large = {"text": "x" * 500_000}
    stages.run("inspect", make_working_copy)
    stages.run("codes", lambda _: StageOutput(result=large))
    seen: dict[str, Any] = {}

    def look(stage_input: StageInput) -> StageOutput:
        seen.update(stage_input.results)
        return StageOutput(result={})

    stages.run("report", look)

    assert queued.job("job-1").stages["codes"].result is None
    assert "result.json" in queued.artefacts("job-1")
    assert seen["codes"] == large


def test_run_stage_out_of_time_raises_stage_timeout(queued: Aws, stages: Runner) -> None:
    with pytest.raises(StageTimeout):
        stages.run("inspect", make_working_copy, ms=1_000)


def test_run_stage_job_cancelled_before_does_no_work(queued: Aws, stages: Runner) -> None:
    queued.cancel("job-1")

    with pytest.raises(JobCancelled):
        stages.run("inspect")

    assert stages.worked == []
    assert queued.job("job-1").status is Status.CANCELLED


def test_run_stage_cancelled_while_working_stops_at_the_next_checkpoint(
    queued: Aws, stages: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_stage, "SECONDS_BETWEEN_LOOKS", 0.0)

    def work(stage_input: StageInput) -> StageOutput:
        queued.cancel("job-1")
        stage_input.checkpoint(0.5)
        raise AssertionError("the checkpoint let the stage go on")

    with pytest.raises(JobCancelled):
        stages.run("inspect", work)
    assert queued.job("job-1").status is Status.CANCELLING


def test_run_stage_cancelled_after_the_work_leaves_nothing_behind(queued: Aws, stages: Runner) -> None:
    def work(stage_input: StageInput) -> StageOutput:
        queued.cancel("job-1")
        clean_up.handler(ATTEMPT.payload(), None)
        return make_working_copy(stage_input)

    with pytest.raises(JobCancelled):
        stages.run("inspect", work)

    assert queued.artefacts("job-1") == set()
    assert queued.job("job-1").status is Status.CANCELLED


def test_run_stage_progress_never_goes_down(queued: Aws, stages: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_stage, "SECONDS_BETWEEN_LOOKS", 0.0)
    seen = []

    def work(stage_input: StageInput) -> StageOutput:
        for fraction in (0.2, 0.8, 0.4, 0.9, 1.0):
            stage_input.checkpoint(fraction)
            seen.append(queued.job("job-1").stages["inspect"].progress)
        return make_working_copy(stage_input)

    stages.run("inspect", work)

    assert seen == [20, 80, 80, 90, 99]


def test_run_stage_of_an_attempt_that_is_over_may_not_write(queued: Aws, stages: Runner) -> None:
    with pytest.raises(JobSuperseded):
        stages.run("inspect", attempt=Attempt(owner=OWNER, job_id="job-1", number=2))
    with pytest.raises(JobSuperseded):
        stages.run("inspect", attempt=Attempt(owner=OWNER, job_id="no-such-job"))

    assert stages.worked == []


def test_run_stage_late_writer_does_not_overwrite_an_end(queued: Aws, stages: Runner) -> None:
    failure = Failure(error_class="States.Timeout", message="too late", stage="inspect")

    def work(stage_input: StageInput) -> StageOutput:
        queued.fail("job-1", failure)
        return make_working_copy(stage_input)

    with pytest.raises(JobSuperseded):
        stages.run("inspect", work)

    assert queued.job("job-1").status is Status.FAILED
    assert queued.job("job-1").error == failure


def test_run_stage_two_tries_at_once_store_one_result(queued: Aws, stages: Runner) -> None:
    def work(stage_input: StageInput) -> StageOutput:
        if len(stages.worked) == 1:
            stages.run("inspect", lambda _: made_by("the second try"))
        return made_by("the first try")

    def made_by(name: str) -> StageOutput:
        copy = Artefact(content=name.encode(), media_type="image/jpeg")
        return StageOutput(result={"by": name}, artefacts={"working-copy.jpg": copy})

    stages.run("inspect", work)

    stage = queued.job("job-1").stages["inspect"]
    assert stage.result == {"by": "the second try"}
    assert stage.tries == 2
    seen: list[bytes] = []
    stages.run("palette", lambda stage_input: seen.append(stage_input.image) or StageOutput(result={}))
    assert seen == [b"the second try"]
    assert queued.artefacts("job-1") == {"working-copy.jpg"}


def test_run_stage_reply_lost_recognises_its_own_write(
    queued: Aws, stages: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_replies_of_dynamodb_updates(monkeypatch)

    stages.run("inspect", make_working_copy)

    stage = queued.job("job-1").stages["inspect"]
    assert (stage.status, stage.tries) == (StageStatus.DONE, 1)


def test_run_stage_unknown_to_an_old_row_is_added(queued: Aws, stages: Runner) -> None:
    boto3.client("dynamodb").update_item(
        TableName="jobs",
        Key={"owner": {"S": OWNER}, "jobId": {"S": "job-1"}},
        UpdateExpression="REMOVE stages.inspect",
    )

    stages.run("inspect", make_working_copy)

    assert queued.job("job-1").stages["inspect"].status is StageStatus.DONE


def test_clean_up_job_that_is_wanted_deletes_nothing(queued: Aws, stages: Runner) -> None:
    stages.run("inspect", make_working_copy)

    with pytest.raises(JobSuperseded):
        clean_up.handler(ATTEMPT.payload(), None)

    assert queued.artefacts("job-1") == {"working-copy.jpg"}


def test_clean_up_twice_is_harmless(queued: Aws, stages: Runner) -> None:
    stages.run("inspect", make_working_copy)
    queued.cancel("job-1")

    clean_up.handler(ATTEMPT.payload(), None)
    clean_up.handler(ATTEMPT.payload(), None)

    assert queued.job("job-1").status is Status.CANCELLED
    assert queued.artefacts("job-1") == set()


def test_settle_failed_writes_the_letters_words_once(queued: Aws, stages: Runner) -> None:
    with pytest.raises(InvalidImage):
        stages.run("inspect", _raise(InvalidImage("The file ends early. Upload it again.")))
    failed = {"stage": "inspect", "errorClass": "InvalidImage", "cause": '{"errorMessage": "The file ends early."}'}
    event = ATTEMPT.payload() | failed | {"executionArn": "arn"}

    settle_failed.handler(event, None)
    settle_failed.handler(event | {"cause": "something else"}, None)

    job = queued.job("job-1")
    assert job.status is Status.FAILED
    assert job.error == Failure(error_class="InvalidImage", message="The file ends early.", stage="inspect")


@pytest.fixture
def late(aws: Aws) -> Aws:
    """A running job whose deadline is over after its first stage."""
    aws.upload("image-1", b"the image")
    body = {"imageId": "image-1", "options": {"deadlineSeconds": 86_400}}
    start_execution.handler(batch(message(body, sent_millis=int(time.time() * 1000) - 86_398_500)), None)
    return aws


def test_run_stage_after_the_deadline_does_not_begin(late: Aws, stages: Runner) -> None:
    stages.run("inspect", make_working_copy)
    time.sleep(1.6)

    with pytest.raises(DeadlineExceeded, match="Redrive"):
        stages.run("palette")

    assert stages.worked == ["inspect"]
    assert late.job("job-1").stages["palette"].tries == 0


def test_run_stage_is_ended_by_the_deadline_at_a_checkpoint(late: Aws, stages: Runner) -> None:
    def work(stage_input: StageInput) -> StageOutput:
        time.sleep(1.6)
        stage_input.checkpoint(0.5)
        raise AssertionError("it went on")

    with pytest.raises(DeadlineExceeded):
        stages.run("inspect", work)


def lose_replies_of_dynamodb_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send every UpdateItem twice and give back the second answer, as the SDK does when the first reply gets lost."""
    original = client

    def update_twice(service: str) -> Any:
        real = original(service)
        if service != "dynamodb":
            return real
        return SimpleNamespace(
            **{name: getattr(real, name) for name in ("get_item", "put_item", "query")},
            update_item=lambda **call: (real.update_item(**call), real.update_item(**call))[1],
        )

    monkeypatch.setattr("lambdas.adapters.job_table.client", update_twice)


def _raise(error: Exception) -> Callable[[StageInput], StageOutput]:
    def work(_: StageInput) -> StageOutput:
        raise error

    return work
